#!/usr/bin/python3
"""Goal: a slot that the server invalidated is refused, what the journal holds is loaded, and beginning anew works."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import shutil  # noqa: E402
import signal  # noqa: E402

from daemon import ROWS_LOADED  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import REFUSED, expect, expect_check, expect_refusal, scenario  # noqa: E402

SETTINGS = {"max_slot_wal_keep_size": "1MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
TABLES = "CREATE TABLE public.t (id serial PRIMARY KEY); CREATE TABLE public.later (id int PRIMARY KEY)"


def lose_slot(server):
    """The server removes WAL of the slot at a checkpoint."""
    while server.value("SELECT wal_status FROM pg_replication_slots") != "lost":
        server.psql("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) "
                    "FROM generate_series(1, 20); SELECT pg_switch_wal(); CHECKPOINT")


def main():
    with scenario(TABLES, settings=SETTINGS) as (server, daemon):
        daemon.start().wait_ready()
        with DuckdbFile(str(daemon.warehouse)):
            server.psql("INSERT INTO t SELECT FROM generate_series(1, 1000)")
            daemon.wait_journaled()
            expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql("INSERT INTO t DEFAULT VALUES")
        lose_slot(server)
        words = '"re_dms"', "invalidated", "max_slot_wal_keep_size", "teardown --yes", "target file away"
        expect_check(daemon, *words)
        expect_refusal(daemon, *words, code=REFUSED)
        with DuckdbFile(str(daemon.warehouse)) as duck:
            expect(duck.value("SELECT count(*) FROM public.t") == "1000", "the journal was loaded")

        code, printed, said = daemon.run("teardown", "--yes")
        expect(code == 0, f"teardown ends with {code}: {printed}{said}")
        expect_check(daemon, "already loaded from slot", "move the target file away")
        daemon.warehouse.rename(daemon.folder / "old.duckdb")
        daemon.start().wait_ready()
        server.psql("INSERT INTO later VALUES (1)")
        daemon.wait("loaded", lambda: daemon.said(ROWS_LOADED))
        daemon.wait_live(3)
        daemon.compare()
        # Lost under a daemon that stands still: no walsender ties the slot to the server.
        daemon.process.send_signal(signal.SIGSTOP)
        server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
        lose_slot(server)
        before = len(daemon.log_text())
        daemon.process.send_signal(signal.SIGCONT)
        expect(daemon.wait_end() == REFUSED, "it is refused")
        said = daemon.log_text()[before:]
        expect("invalidated" in said and "teardown --yes" in said, f"it says why: {said}")

        # A slot without a journal is not ours to use, lost or not.
        shutil.rmtree(daemon.journal)
        daemon.journal.mkdir()
        for see in (expect_check, expect_refusal):
            see(daemon, "exists already", "pg_drop_replication_slot('re_dms')")


main()
