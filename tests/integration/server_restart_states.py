#!/usr/bin/python3
"""Goal: the server may restart, fast or immediate, in every state of the daemon: it stops at once, the
daemon goes on by itself, and both sides end equal."""

import re
import sys
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import STAGED_LSN, LOADED_LSN  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

SECONDS = 20
MIB = 1 << 20
OPTIONS = {"journal.max_bytes": "4MiB", "journal.segment_bytes": "1MiB"}
SQL = """
CREATE TABLE public.t (id bigserial PRIMARY KEY, n int, pad text);
CREATE TABLE public.small (id int PRIMARY KEY, v text);
"""
LARGE = "INSERT INTO t (n, pad) SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 10000) g"
SMALL = """
INSERT INTO small SELECT g, 'v' FROM generate_series(1, 100) g ON CONFLICT (id) DO UPDATE SET v = small.v || '!';
DELETE FROM small WHERE id % 7 = 0;
UPDATE small SET id = id + 1000 WHERE id % 5 = 0 AND id < 1000 AND id + 1000 NOT IN (SELECT id FROM small);
"""


def value(daemon, name):
    """Of a metric without labels."""
    return float(re.search(rf"^{name} (\S+)$", daemon.get("/metrics")[1], re.M)[1])


def journal_bytes(daemon):
    return daemon.status().get("journal", {}).get("bytes", 0)


@contextmanager
def idle(server, daemon):
    yield


@contextmanager
def receiving(server, daemon):
    """A transaction that is larger than the journal's bound, so it is read on and on."""
    server.psql(LARGE)
    daemon.wait("some of it is received", lambda: journal_bytes(daemon) > 5 * MIB)
    yield


@contextmanager
def locked(server, daemon):
    with DuckdbFile(str(daemon.warehouse)):
        server.psql(SMALL)
        daemon.wait("said that the file is held", lambda: "is held by" in str(daemon.status()))
        yield


@contextmanager
def paused(server, daemon):
    with DuckdbFile(str(daemon.warehouse)):
        for _ in range(7):
            server.psql(LARGE.replace("10000", "1200"))
        daemon.wait("the journal is full", lambda: journal_bytes(daemon) >= 4 * MIB)
        daemon.wait("reading is paused", lambda: value(daemon, "re_dms_reading_paused") == 1)
        # Its bound is passed by what arrived at once, and the journal's age is seen.
        expect(1 <= value(daemon, "re_dms_journal_used_ratio") < 2, "the share of the bound")
        expect(value(daemon, "re_dms_journal_oldest_seconds") > 0, "how old it is")
        yield


@contextmanager
def loading(server, daemon):
    server.psql(LARGE)
    daemon.wait("it is staged", lambda: daemon.position(STAGED_LSN) > daemon.position(LOADED_LSN))
    yield


@contextmanager
def connecting(server, daemon):
    """Started while nobody answered; the server has been back for no time."""
    expect(daemon.stop() == 0, "SIGTERM")
    server.stop("fast", SECONDS)
    begin = len(daemon.log_text())
    daemon.start()
    daemon.wait("it tries", lambda: "source_retry" in daemon.log_text()[begin:])
    server.start()
    yield


def main():
    with scenario(SQL, options=OPTIONS) as (server, daemon):
        daemon.start().wait_ready()
        for mode in ("fast", "immediate"):
            for state in (idle, receiving, locked, paused, loading, connecting):
                server.psql(SMALL)
                daemon.catch_up()
                with state(server, daemon):
                    took = server.restart(mode, SECONDS)
                    server.psql(SMALL)
                daemon.wait_ready()
                print(f"{state.__name__}: {mode} stop in {took:.2f} s", flush=True)
            daemon.catch_up(120)
            counts = daemon.compare()
            server.psql("TRUNCATE t")
        expect(daemon.stop() == 0, "SIGTERM")
    print(f"equal: {counts}")


main()
