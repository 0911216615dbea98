#!/usr/bin/python3
"""Goal: a table that had rows when first met is left out with that reason; the others are replicated."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import ROWS_LOADED  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.empty (id serial PRIMARY KEY);
CREATE TABLE public.filled (id serial PRIMARY KEY); INSERT INTO public.filled DEFAULT VALUES;
CREATE TABLE public.keyless (a int);"""


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO filled DEFAULT VALUES; INSERT INTO empty DEFAULT VALUES;"
                    " INSERT INTO keyless VALUES (1); UPDATE keyless SET a = 2;")
        daemon.wait("loaded", lambda: daemon.said(ROWS_LOADED))
        tables = daemon.wait("status of the tables", lambda: daemon.said(("tables",)))
        reasons = {entry["table"]: entry["reason"] for entry in tables["left_out"] + tables["not_live"]}
        expect("rows" in reasons.get("public.filled", ""), f"filled is named with its reason: {reasons}")
        expect("identity" in reasons.get("public.keyless", "") or "key" in
               reasons.get("public.keyless", ""), f"keyless is named with its reason: {reasons}")
        daemon.compare([("public", "empty")])
        with DuckdbFile(str(daemon.warehouse)) as duck:
            expect(not duck.columns("public", "filled"), "filled is not in the target")
    print(f"left out: {reasons}")


main()
