#!/usr/bin/python3
"""Goal: pg_ctl stop -m smart, which waits for every client, does not wait for the daemon for longer than 40 s."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

SECONDS = 40


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        print(f"stopped in {server.restart('smart', SECONDS):.2f} s", flush=True)
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.wait_ready()
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
