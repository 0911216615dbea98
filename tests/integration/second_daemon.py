#!/usr/bin/python3
"""Goal: a second daemon on the same journal, slot or target, or with an older copy of the journal, is
refused, and the first one goes on."""

import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import Daemon  # noqa: E402
from scenario import FAILED, REFUSED, expect, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        first = daemon.folder
        older = first.parent / "older"
        shutil.copytree(daemon.journal, older)
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        tries = {
            "the same journal": ({"journal.directory": str(daemon.journal)}, "held by"),
            "the same slot": ({}, "exists already"),
            "the same target": ({"source.slot": "re_dms_2", "source.publication": "re_dms_2",
                                 "warehouse.url": f"duckdb://{daemon.warehouse}"}, "belongs to"),
            "an older copy of the journal": ({"journal.directory": str(older), "warehouse.url":
                                              f"duckdb://{daemon.warehouse}"}, "journal ends at"),
        }
        for number, (name, (options, word)) in enumerate(tries.items()):
            with Daemon(server, first.parent / f"second{number}", options) as second:
                expect_refusal(second, word, code=REFUSED if word == "journal ends at" else FAILED)
                slots = server.value("SELECT string_agg(slot_name, ',') FROM pg_replication_slots")
                expect(slots == "re_dms", f"{name}: the slots are {slots}")
                print(f"{name}: refused", flush=True)
            server.psql("INSERT INTO t DEFAULT VALUES")
            daemon.catch_up()
        print(f"equal: {daemon.compare()}")


main()
