#!/usr/bin/python3
"""Goal: each kind of schema change that cannot be applied in place, once under traffic, is answered by copying the
table anew, without a person; the others are not held up, and all end equal."""

import json
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import MARKER  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# What is done to the table and then to its rows; {0} is its name.
CHANGES = {
    "column_renamed": "ALTER TABLE {0} RENAME v TO w; UPDATE {0} SET w = w || '!' WHERE id < 5",
    "column_dropped": "ALTER TABLE {0} DROP v; UPDATE {0} SET n = 1 WHERE id < 5",
    "column_replaced": "ALTER TABLE {0} DROP v, ADD v text; UPDATE {0} SET v = 'new' WHERE id < 5",
    "type_widened": "ALTER TABLE {0} ALTER n TYPE bigint; UPDATE {0} SET n = 5000000000 WHERE id < 5",
    "type_changed": "ALTER TABLE {0} ALTER n TYPE text USING 'n' || n; INSERT INTO {0} VALUES (1001, 'x', 'y')",
    "varchar_cut": "ALTER TABLE {0} ALTER v TYPE varchar(3) USING left(v, 3); INSERT INTO {0} VALUES (1001, 'x', 2)",
    "key_moved": "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey, ADD PRIMARY KEY (n, id); DELETE FROM {0} WHERE id < 5",
    "identity_full": "ALTER TABLE {0} REPLICA IDENTITY FULL; UPDATE {0} SET v = 'full' WHERE id < 5",
    "identity_index": "ALTER TABLE {0} ALTER n SET NOT NULL; CREATE UNIQUE INDEX {0}_i ON {0} (n);"
                      " ALTER TABLE {0} REPLICA IDENTITY USING INDEX {0}_i; UPDATE {0} SET v = 'i' WHERE n < 5",
    "added_volatile": "ALTER TABLE {0} ADD u uuid DEFAULT gen_random_uuid(); UPDATE {0} SET v = 'u' WHERE id < 5",
    "added_rewritten": "ALTER TABLE {0} ADD u int DEFAULT 7; ALTER TABLE {0} ALTER n TYPE bigint;"
                       " INSERT INTO {0} VALUES (1001, 'x', 2000)",
    "unpublished": "ALTER PUBLICATION re_dms DROP TABLE {0}; UPDATE {0} SET v = 'unseen' WHERE id < 50;"
                   " ALTER PUBLICATION re_dms ADD TABLE {0}; UPDATE {0} SET v = 'seen' WHERE id < 5",
    "made_anew": "DROP TABLE {0}; CREATE TABLE {0} (id int PRIMARY KEY, other text);"
                 " INSERT INTO {0} VALUES (1, 'another')",
    "renamed": "ALTER TABLE {0} RENAME TO {0}_now; UPDATE {0}_now SET v = 'r' WHERE id < 5",
}
SWAPPED = ("BEGIN; ALTER TABLE left_one RENAME TO third; ALTER TABLE right_one RENAME TO left_one;"
           " ALTER TABLE third RENAME TO right_one; COMMIT;"
           " UPDATE left_one SET v = 'swapped' WHERE id < 5; UPDATE right_one SET v = 'back' WHERE id < 5")
NAMES = [*CHANGES, "left_one", "right_one", "bystander"]


class Bystander:
    """Traffic on a table that nothing happens to."""

    def __init__(self, server):
        self._server, self._stop = server, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set():
            self._server.psql("UPDATE bystander SET n = n + 1 WHERE id = 1 + (random() * 900)::int")
            self._stop.wait(0.02)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def main():
    tables = "".join(
        f"CREATE TABLE public.{name} (id int PRIMARY KEY, v text, n int);"
        f"INSERT INTO public.{name} SELECT i, 'row ' || i, i FROM generate_series(1, 1000) i;" for name in NAMES)
    with scenario(tables) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "200"
        daemon.start().wait_ready()
        daemon.wait_live(len(NAMES) + 1)
        with Bystander(server):
            for name, sql in CHANGES.items():
                server.psql(sql.format(name))
            server.psql(SWAPPED)
            # A table under a new name stays in the target under its new one alone.
            published = len(NAMES) + 1
            server.psql("UPDATE bystander SET n = 0 WHERE id > 990")
            daemon.wait("all are followed again", lambda: daemon.said(("tables", "coming")) == []
                        and daemon.said(("tables", "live")) == published, 120)
        # The last changes may have been heard of only now.
        daemon.catch_up(set_aside=True)
        daemon.wait("all are followed", lambda: daemon.said(("tables", "coming")) == [], 120)
        daemon.catch_up(set_aside=True)
        left = [entry["table"] for entry in daemon.said(("tables", "not_live"))]
        expect(left == [], f"nothing waits for a person: {left}")
        copied = {line["table"] for line in map(json.loads, daemon.log_text().splitlines())
                  if line["event"] == "table_waits" and "is new here" not in line["message"]}
        expect("public.column_dropped" not in copied and "public.column_replaced" in copied,
               f"only a drop is done in place: {copied}")
        removed = [entry["table"] for entry in daemon.said(("tables", "removed"))]
        expect(removed in ([], ["public.made_anew"]), f"a table that was dropped: {removed}")
        names = server.psql("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'public'").split()
        counts = daemon.compare([tuple(name.split(".")) for name in names if name != MARKER])
        print(f"equal: {counts}")


main()
