#!/usr/bin/python3
"""Goal: a migration that alters a table while a slot is made for its copy is not held up, nor are the application's
queries behind it: also where the migration has written before, so that the slot waits for it. What was altered is
copied as it is now."""

import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

TABLES = ("CREATE TABLE public.orders (id int PRIMARY KEY, n int);"
          "INSERT INTO orders SELECT g, g FROM generate_series(1, 5000) g;"
          "CREATE TABLE public.other (id serial PRIMARY KEY)")
WAITS = ("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'"
         " AND query LIKE 'CREATE_REPLICATION_SLOT%'")
# Much more than a busy machine needs, much less than the writer is open.
HELD_SECONDS = 5
MIGRATIONS = ["ALTER TABLE orders ADD note text DEFAULT 'none'", "ALTER TABLE orders ALTER n TYPE bigint",
              "ALTER TABLE orders RENAME n TO number"]


class Application:
    """Asks and writes all the time; `longest` is how long it was held up at most."""

    def __init__(self, server):
        self._server, self.longest, self.done = server, 0.0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        with self._server.session() as session:
            while not self._stop.wait(0.005):
                began = time.monotonic()
                session.must("SELECT count(*) FROM orders WHERE id < 10 \\g /dev/null\n"
                             "UPDATE orders SET id = id WHERE id = 7;")
                self.longest = max(self.longest, time.monotonic() - began)
                self.done += 1


def migrate(server, daemon, migration):
    """Seconds that it took while a slot waits for a writer, and for the migration itself."""
    with server.session() as writer, server.session() as session:
        writer.must("BEGIN; INSERT INTO other DEFAULT VALUES;")
        session.must("BEGIN; INSERT INTO other DEFAULT VALUES;")
        code, printed, said = daemon.run("resync", "public.orders")
        expect(code == 0, f"resync: {code}\n{printed}{said}")
        daemon.wait("a slot waits for the writer", lambda: server.value(WAITS) == "1")
        began = time.monotonic()
        session.must(f"{migration}; COMMIT;")
        took = time.monotonic() - began
        expect(server.value(WAITS) == "1", "the slot was not made meanwhile")
        writer.must("COMMIT;")
    return took


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "200"
        daemon.start().wait_ready().wait_live(3)
        with Application(server) as application:
            for migration in MIGRATIONS:
                before, since = application.done, len(daemon.log_text())
                took = migrate(server, daemon, migration)
                expect(took < HELD_SECONDS, f"{migration} was held for {took:.1f} s")
                daemon.wait_copied_anew("public.orders", since=since)
                daemon.wait("the application goes on", lambda number=before: application.done > number + 1)
        expect(application.longest < HELD_SECONDS, f"the application was held for {application.longest:.1f} s")
        daemon.wait_live(3)
        daemon.catch_up()
        counts = daemon.compare()
    print(f"the application was held for {application.longest:.2f} s at most, of {application.done}; equal: {counts}")


main()
