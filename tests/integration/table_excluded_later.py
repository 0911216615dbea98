#!/usr/bin/python3
"""Goal: a table that is excluded after it was published is not read on silently: the daemon says what to do."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from scenario import expect, expect_refusal, scenario  # noqa: E402

TABLES = ("CREATE TABLE public.t (id serial PRIMARY KEY); CREATE TABLE public.secret (id int PRIMARY KEY);"
          " CREATE TABLE public.moves (id int PRIMARY KEY); CREATE SCHEMA archive")


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        daemon.configure({"source.exclude": ["public.secret"]})
        expect_refusal(daemon, "public.secret", "ALTER PUBLICATION", "DROP TABLE")
        server.psql("ALTER PUBLICATION re_dms DROP TABLE public.secret; INSERT INTO secret VALUES (1);"
                    " ALTER TABLE moves SET SCHEMA archive; INSERT INTO archive.moves VALUES (1)")
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.wait("the moved table is set aside", lambda: daemon.said(NOT_LIVE))
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up(set_aside=True)
        daemon.compare([("public", "t")])


main()
