#!/usr/bin/python3
"""Goal: with auto_setup = false publication and slot are the administrator's: asked for, used, never dropped."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_refusal, scenario  # noqa: E402

SLOTS = "SELECT count(*), max(restart_lsn) FROM pg_replication_slots"
BY_HAND = {"source.auto_setup": False}


def killed_at(daemon, place):
    daemon.environment["RE_DMS_FAILPOINT"] = place
    daemon.start().wait_end()
    del daemon.environment["RE_DMS_FAILPOINT"]


def main():
    with scenario("CREATE TABLE public.t (id int PRIMARY KEY)", options=BY_HAND) as (server, daemon):
        expect_refusal(daemon, "source.auto_setup is false", "CREATE PUBLICATION",
                       "pg_create_logical_replication_slot")
        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "0", "nothing was made")
        daemon.configure({"source.slot": "old"})
        killed_at(daemon, "slot-created")
        daemon.configure({})
        code, printed, said = daemon.run("teardown", "--yes")
        expect(code == 0 and 'dropped slot "old"' in printed, f"teardown: {code}\n{printed}{said}")
        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "0", "none is left")
        # A first start of re_dms's own that was interrupted leaves nothing that could be mistaken.
        for place in ("slot-created", "slot-intended"):
            daemon.configure({})
            killed_at(daemon, place)
            daemon.configure(BY_HAND)
            expect_refusal(daemon, "source.auto_setup is false")
            expect(server.value("SELECT count(*) FROM pg_replication_slots") == "0", f"none after {place}")
            server.psql("DROP PUBLICATION re_dms")
        server.psql("CREATE PUBLICATION re_dms FOR TABLE t, marker")
        server.psql("SELECT pg_create_logical_replication_slot('re_dms', 'pgoutput')")
        made = server.rows(SLOTS)
        for place in ("slot-intended", "slot-created"):
            killed_at(daemon, place)
            daemon.configure({})
            expect_refusal(daemon, "exists already", "pg_drop_replication_slot")
            expect(server.rows(SLOTS) == made, f"killed at {place}, it is left as it was")
            daemon.configure(BY_HAND)
        daemon.start().wait_ready()
        server.psql("INSERT INTO t VALUES (2)")
        daemon.catch_up()
        daemon.compare([("public", "t")])
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "1", "the slot is kept")


main()
