#!/usr/bin/python3
"""Goal: a table that grows by as much again, and is changed all over, while its copy stands still ends equal."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, little_ahead  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# More than may be staged ahead of the target.
ROWS = 130_000
FILL = ("INSERT INTO public.grows SELECT g, 0, repeat(md5(g::text), 48)"
        f" FROM generate_series({{0}} * {ROWS} + 1, {{0}} * {ROWS} + {ROWS}) g;")
TABLE = "CREATE TABLE public.grows (id int PRIMARY KEY, n int, pad text);" + FILL.format(0)
# The server waits for us to take more rows.
HALTED = ("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND query LIKE 'COPY (%grows%'")
CHANGES = ("UPDATE grows SET n = 1 WHERE id % 50 = 0; UPDATE grows SET id = -id WHERE id % 70 = 1;"
           " DELETE FROM grows WHERE id % 90 = 2")


def main():
    with scenario(TABLE, options=little_ahead()) as (server, daemon):
        daemon.start()
        daemon.wait("it is being copied", lambda: any(
            each["table"] == "public.grows" and each["rows"] > 0 for each in daemon.said(COMING) or []))
        # Nothing is loaded while somebody reads the file.
        with DuckdbFile(str(daemon.warehouse)):
            daemon.wait("it stands still", lambda: server.value(HALTED) == "t")
            server.psql(FILL.format(1) + CHANGES)
        daemon.wait_live(2, 120)
        daemon.catch_up(120)
        counts = daemon.compare()
        expect("copy_retry" not in daemon.log_text(), "it was copied once")
    print(f"equal: {counts}")


main()
