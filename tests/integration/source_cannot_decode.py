#!/usr/bin/python3
"""Goal: WAL that PostgreSQL itself cannot decode, however often it is asked to, is waited out for a while and then
refused: everything before it is loaded, and a person reads what it is, where, and what to do. The slot stays."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import REFUSED, expect, expect_refusal, scenario  # noqa: E402

# Its values are texts, and shown as if they were arrays: of a type whose number is in the text.
TABLES = """
CREATE TYPE broken;
CREATE FUNCTION broken_in(cstring) RETURNS broken LANGUAGE internal STRICT IMMUTABLE AS 'textin';
CREATE FUNCTION broken_out(broken) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'array_out';
CREATE TYPE broken (INPUT = broken_in, OUTPUT = broken_out, ALIGNMENT = int4);
CREATE TABLE public.odd (id int PRIMARY KEY, v broken);
CREATE TABLE public.t (id serial PRIMARY KEY)"""


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        server.psql("INSERT INTO t DEFAULT VALUES; INSERT INTO odd VALUES (1, 'no array of anything')")
        daemon.wait("each try is counted", lambda: "3 times in a row behind" in daemon.log_text())
        found = daemon.wait_end(120)
        said = daemon.log_text()
        expect(found == REFUSED, f"exit code {found} instead of {REFUSED}; it said:\n{said}")
        with daemon.target.open() as duck:
            rows = duck.query("SELECT id FROM public.t")
        expect(len(rows) == 2, f"what came before is loaded: {rows}")
        server.wait_slots_free()
        expect_refusal(daemon, 'slot "re_dms" cannot be read beyond', "30 times in a row", "cache lookup failed",
                       "associated LSN", "holds all WAL", "re_dms teardown --yes", code=REFUSED)
        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "1", "the slot is not dropped")


main()
