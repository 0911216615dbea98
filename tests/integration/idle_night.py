#!/usr/bin/python3
"""Goal: while only others write, the slot moves on, and the daemon accepts it after a restart."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from postgres import parse_lsn  # noqa: E402
from scenario import scenario  # noqa: E402

SLOT = "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 're_dms'"


def others_write(server):
    server.psql("CREATE TABLE IF NOT EXISTS n (id int); INSERT INTO n SELECT generate_series(1, 20000);",
                database="other")
    server.psql("INSERT INTO elsewhere.n SELECT generate_series(1, 20000);")


def main():
    tables = "CREATE TABLE public.t (id serial PRIMARY KEY); CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.n (id int);"
    with scenario(tables) as (server, daemon):
        server.psql("CREATE DATABASE other")
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        for ending in (daemon.stop, daemon.kill, daemon.stop):
            others_write(server)
            lsn = server.lsn()
            daemon.wait("the slot moves", lambda: parse_lsn(server.value(SLOT)) >= lsn, 60)
            ending()
            others_write(server)
            daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        counts = daemon.compare([("public", "t")])
    print(f"equal: {counts}")


main()
