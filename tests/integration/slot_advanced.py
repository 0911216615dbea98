#!/usr/bin/python3
"""Goal: a slot that somebody else advanced, dropped or made anew is refused: the changes in between are gone."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import REFUSED, expect, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.wait_slots_free()
        # Twice: an advanced slot does not become a right one by trying again.
        server.psql("INSERT INTO t DEFAULT VALUES;"
                    "SELECT pg_replication_slot_advance('re_dms', pg_current_wal_lsn());")
        for _ in range(2):
            expect_refusal(daemon, 'slot "re_dms" is confirmed up to', "but the journal ends at", code=REFUSED)
            server.wait_slots_free()
        server.psql("SELECT pg_drop_replication_slot('re_dms')")
        expect_refusal(daemon, 'slot "re_dms" cannot be used: it is gone', code=REFUSED)
        server.psql("SELECT pg_create_logical_replication_slot('re_dms', 'pgoutput')")
        expect_refusal(daemon, 'slot "re_dms" is confirmed up to', "but the journal ends at", code=REFUSED)


main()
