#!/usr/bin/python3
"""Goal: what happened to copied tables while no daemon ran is found by the next one: one was dropped, one taken out of
the publication."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

NAMES = ["stays", "dropped", "unpublished"]
TABLES = "".join(
    f"CREATE TABLE public.{name} (id int PRIMARY KEY, v int); INSERT INTO {name} VALUES (1, 1);" for name in NAMES)
MEANWHILE = """
DROP TABLE dropped; ALTER PUBLICATION re_dms DROP TABLE unpublished;
UPDATE unpublished SET v = 2; UPDATE stays SET v = 2"""
WORDS = {"public.dropped": "dropped in the source", "public.unpublished": "not in the publication"}


def told(daemon):
    """By table the reason why it is not live."""
    tables = daemon.said(("tables",)) or {}
    entries = [entry for key in ("not_live", "coming", "removed") for entry in tables.get(key, [])]
    return {entry["table"]: entry.get("reason", "") for entry in entries}


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "200"
        daemon.start().wait_ready().wait_live(len(NAMES) + 1)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql(MEANWHILE)
        # So that nobody publishes anything again.
        daemon.configure({"source.auto_setup": False})
        daemon.start().wait_ready()
        daemon.wait("both are noticed", lambda: WORDS.keys() <= told(daemon).keys())
        daemon.catch_up(set_aside=True, coming=["public.unpublished"])
        daemon.compare([("public", "stays")])
        reasons = told(daemon)
        for table, words in WORDS.items():
            expect(words in reasons[table], f"{table}: {reasons[table]}")
    print(reasons)


main()
