#!/usr/bin/python3
"""Goal: a table that is excluded after it was published is not read on silently: a start takes it out of the
publication, or says what to do where it may not, or where nothing would be left."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_refusal, scenario  # noqa: E402

TABLES = ("CREATE TABLE public.t (id serial PRIMARY KEY); CREATE TABLE public.secret (id int PRIMARY KEY);"
          " CREATE TABLE public.moves (id int PRIMARY KEY); CREATE SCHEMA archive")


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        daemon.configure({"source.exclude": ["public.secret"], "source.auto_setup": False})
        expect_refusal(daemon, "public.secret", "ALTER PUBLICATION", "DROP TABLE")
        daemon.configure({"source.exclude": ["public.*"]})
        expect_refusal(daemon, "public.secret", "public.t", "source.exclude")
        expect(server.value("SELECT count(*) FROM pg_publication_tables") == "4", "a refusal takes nothing out")
        daemon.configure({"source.exclude": ["public.secret"]})
        server.psql("ALTER TABLE moves SET SCHEMA archive; INSERT INTO archive.moves VALUES (1)")
        daemon.start().wait_ready()
        expect(server.value("SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_publication_tables")
               == "marker moves t", "it is out of the publication")
        server.psql("INSERT INTO secret VALUES (1)")
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.wait("both are left out", lambda: len(daemon.said(("tables", "removed")) or []) == 2)
        expect("re_dms_tables_removed 2\n" in daemon.get("/metrics")[1], "the metrics say so")
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up(set_aside=True)
        daemon.compare([("public", "t")])


main()
