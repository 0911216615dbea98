#!/usr/bin/python3
"""Goal: a copy behind which an ALTER TABLE waits gives way, also while it cannot go on itself; so do copies that wait
for a lock, and no query of the application is held up for long. What was given up is copied later."""

import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, little_ahead  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

BIG = ("CREATE TABLE public.big (id int PRIMARY KEY, pad text);"
       "INSERT INTO public.big SELECT g, repeat(md5(g::text), 32) FROM generate_series(1, 200000) g")
# The server waits for us to take more rows.
HALTED = ("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND query LIKE 'COPY (%big%'")
# Much more than a busy machine needs for giving way, much less than a copy that waits for ever.
HELD_SECONDS = 30


def main():
    options = {"source.lock_timeout": "1s", **little_ahead()}
    with scenario(BIG, options=options) as (server, daemon):
        daemon.start()
        daemon.wait("it is being copied", lambda: any(
            each["table"] == "public.big" and each["rows"] > 0 for each in daemon.said(COMING) or []))
        # Nothing is loaded while somebody reads the file: the copy comes to a halt inside the table.
        with DuckdbFile(str(daemon.warehouse)):
            daemon.wait("it stands still", lambda: server.value(HALTED) == "1")
            began = time.monotonic()
            server.psql("ALTER TABLE big ADD more int")
            seconds = time.monotonic() - began
            expect(seconds < HELD_SECONDS, f"the migration was held for {seconds:.1f} s")
        expect("copy_gives_way" in daemon.log_text(), "the log says so")
        server.psql("UPDATE big SET more = id WHERE id < 100")
        daemon.wait_live(2, 120)
        daemon.catch_up(120)
        counts = daemon.compare()
    print(f"held for {seconds:.1f} s; equal: {counts}")


main()
