#!/usr/bin/python3
"""Goal: damage of the journal is named by file, byte and LSN; a torn tail is cut; a lost tail is a refused hole."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import os  # noqa: E402

from daemon import JOURNALED_LSN  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import REFUSED, expect, expect_refusal, scenario  # noqa: E402


def backlog(server, daemon):
    """Journaled and not loaded; the daemon has ended."""
    with DuckdbFile(str(daemon.warehouse)):
        segments = []
        while len(segments) < 3 or segments[-1].stat().st_size < 20_000:
            server.psql("INSERT INTO t (a) SELECT repeat('x', 300) FROM generate_series(1, 100)")
            lsn = server.lsn()
            daemon.wait("journaled", lambda: daemon.position(JOURNALED_LSN) >= lsn)
            segments = sorted(daemon.journal.glob("*.journal"))
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    return segments


def loads(daemon):
    daemon.start().wait_ready()
    daemon.catch_up()
    daemon.compare()


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY, a text)",
                  options={"journal.segment_bytes": "64KiB"}) as (server, daemon):
        daemon.start().wait_ready()
        daemon.catch_up()
        damaged = backlog(server, daemon)[1]
        sound = damaged.read_bytes()
        middle = len(sound) // 2
        damaged.write_bytes(sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1:])
        for _ in range(2):
            expect_refusal(daemon, str(damaged), "at byte", ", after 0/", "journal inspect",
                           "Restore the file", "teardown --yes", code=REFUSED)
        expect(len(damaged.read_bytes()) == len(sound), "nothing is cut from it")
        damaged.write_bytes(sound)
        loads(daemon)

        last = backlog(server, daemon)[-1]
        with last.open("ab") as file:
            file.write(b"\x20\x00\x00\x00 the beginning of a record")
        loads(daemon)
        expect("journal_tail_cut" in daemon.log_text(), "that it was cut is said")

        last = backlog(server, daemon)[-1]
        os.truncate(last, last.stat().st_size - 100)
        for _ in range(2):
            expect_refusal(daemon, 'is confirmed up to', "but the journal ends at",
                           "the end of the journal is lost", "teardown --yes", code=REFUSED)


main()
