#!/usr/bin/python3
"""Goal: what was acknowledged is loaded also when the source is away for a while, or for good."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import ROWS_LOADED  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import REFUSED, expect, scenario  # noqa: E402


def leave_backlog(server, daemon, text):
    """1000 rows journaled, not loaded, and the daemon killed."""
    daemon.start().wait_ready()
    with DuckdbFile(str(daemon.warehouse)):
        server.psql(f"INSERT INTO t (a) SELECT '{text}' FROM generate_series(1, 1000)")
        daemon.wait_journaled()
        daemon.kill()


def rows(daemon, text):
    with DuckdbFile(str(daemon.warehouse)) as duck:
        return int(duck.value(f"SELECT count(*) FROM public.t WHERE a = '{text}'"))


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY, a text)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t (a) VALUES ('first')")
        daemon.catch_up()
        daemon.stop()

        leave_backlog(server, daemon, "away")
        server.stop()
        daemon.start()
        daemon.wait("loaded", lambda: (daemon.said(ROWS_LOADED) or 0) >= 1000)
        expect(rows(daemon, "away") == 1000, "loaded without the source")
        expect(daemon.get("/readyz")[0] != 200, "not ready without the source")
        server.start()
        daemon.wait_ready()
        daemon.catch_up()
        daemon.compare()
        daemon.stop()

        leave_backlog(server, daemon, "gone")
        server.wait_slots_free()
        server.psql("SELECT pg_drop_replication_slot('re_dms')")
        daemon.start()
        code = daemon.wait_end()
        expect(code == REFUSED, f"it ends with {code}, not with {REFUSED}")
        expect("is gone" in daemon.log_text() or "not there" in daemon.log_text(), "it says why")
        expect(rows(daemon, "gone") == 1000, "loaded before it ended")
        print(f"equal: {daemon.compare()}")


main()
