#!/usr/bin/python3
"""Goal: a running daemon waits out a server that is a standby or refuses its role; at the start it does not."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_refusal, scenario  # noqa: E402


SQL = "CREATE TABLE public.t (id serial PRIMARY KEY); CREATE ROLE reader LOGIN SUPERUSER"


def become(server, standby):
    server.stop()
    signal = server.data / "standby.signal"
    if standby:
        signal.touch()
    else:
        signal.unlink()
    server.start()


def main():
    with scenario(SQL) as (server, daemon):
        daemon.configure({"source.url": server.url().replace("user=postgres", "user=reader")})
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        for what, refuse, take in (
                ("standby", lambda: become(server, True), lambda: become(server, False)),
                ("not permitted to log in",
                 lambda: (server.psql("ALTER ROLE reader NOLOGIN"), server.restart()),
                 lambda: server.psql("ALTER ROLE reader LOGIN"))):
            refuse()
            daemon.wait(f"status says: {what}",
                        lambda: what in daemon.status().get("reason", ""))
            expect(daemon.get("/readyz")[0] != 200, "it is not ready meanwhile")
            take()
            server.psql("INSERT INTO t DEFAULT VALUES")
            daemon.wait_ready(90)
            daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql("ALTER ROLE reader NOLOGIN")
        expect_refusal(daemon, "reader", "not permitted")


main()
