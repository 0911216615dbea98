#!/usr/bin/python3
"""Goal: a reader that holds the DuckDB file delays loads, is named with its pid, and nothing is lost."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import os  # noqa: E402
import time  # noqa: E402

from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY, a text)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t (a) SELECT 'before' FROM generate_series(1, 10)")
        daemon.catch_up()
        with DuckdbFile(str(daemon.warehouse)) as reader:
            server.psql("INSERT INTO t (a) SELECT 'locked' FROM generate_series(1, 1000)")
            daemon.wait("said who holds the file", lambda: f"(PID {os.getpid()})" in str(daemon.status()))
            daemon.wait("reading goes on", lambda: daemon.said(("source", "connected")))
            for _ in range(20):
                server.psql("INSERT INTO t (a) VALUES ('more'); UPDATE t SET a = a || '!' WHERE id < 5")
                time.sleep(0.1)
            expect(reader.value("SELECT count(*) FROM public.t WHERE a = 'locked'") == "0", "not loaded yet")
        daemon.catch_up(90)
        counts = daemon.compare()
        with DuckdbFile(str(daemon.warehouse)):
            server.psql("INSERT INTO t (a) VALUES ('stopped while locked')")
            time.sleep(1)
            expect(daemon.stop() == 0, "SIGTERM while the file is held ends it with 0")
        daemon.start().wait_ready()
        daemon.catch_up()
        daemon.compare()
    print(f"equal: {counts}")


main()
