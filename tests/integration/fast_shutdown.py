#!/usr/bin/python3
"""Goal: pg_ctl stop -m fast ends within 5 s whatever the daemon does: idle, reading, paused by a full journal.

While the journal is full, a slot that was lost is not taken again.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

SECONDS = 5
OPTIONS = {"source.include": traffic.INCLUDE, "journal.max_bytes": "4MiB",
           "journal.segment_bytes": "1MiB"}


def journal_full(daemon):
    """Reading pauses between transactions, and the last one may exceed the bound."""
    journal = daemon.said(("journal",))
    return journal and journal["bytes"] >= journal["max_bytes"]


def main():
    with scenario(options=OPTIONS) as (server, daemon):
        traffic.create_tables(server)
        daemon.start().wait_ready()
        daemon.catch_up()
        print(f"idle: {server.restart('fast', SECONDS):.2f} s", flush=True)
        daemon.wait_ready()
        with traffic.Traffic(server, clients=2, pause=0.02) as load:
            load.run_for(2)
            print(f"reading: {server.restart('fast', SECONDS):.2f} s", flush=True)
            daemon.wait_ready()
            retries = daemon.log_text().count("load_retry")
            with DuckdbFile(str(daemon.warehouse)):
                # What the last load before the lock makes room for is received first.
                daemon.wait("it cannot load", lambda: daemon.log_text().count("load_retry") > retries)
                daemon.wait("the journal is full", lambda: journal_full(daemon))
                print(f"paused: {server.restart('fast', SECONDS):.2f} s", flush=True)
                daemon.wait("it leaves the slot alone", lambda: "source_left" in daemon.log_text())
                reason = daemon.said(("reason",)) or ""
                expect("nothing is received" in reason, f"the status says: {reason}")
                retries = daemon.log_text().count("load_retry")
                daemon.wait("another look at the warehouse",
                            lambda: daemon.log_text().count("load_retry") > retries)
                since = daemon.log_text().rpartition("source_left")[2]
                expect("stream_started" not in since, "it took the slot again")
        daemon.wait_ready()
        daemon.catch_up(120)
        daemon.compare(traffic.TABLES)
        server.stop("fast", SECONDS)
        expect(daemon.stop() == 0, "SIGTERM without a server ends it with 0")


main()
