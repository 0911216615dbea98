#!/usr/bin/python3
"""Goal: rows of writers that are open when their table joins the publication are in the target exactly once, with slot
and publication made by hand (auto_setup = false), while a daemon runs and while none does."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING  # noqa: E402
from scenario import expect, scenario  # noqa: E402

NAMES = ["begun", "running", "stopped"]
TABLES = "".join(f"CREATE TABLE public.{name} (id int PRIMARY KEY, v text);" for name in NAMES)
WAITS = ("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'"
         " AND query LIKE 'CREATE_REPLICATION_SLOT%'")


class Writer:
    """A transaction that writes a row before its table is published and one after."""

    def __init__(self, server, table):
        self.session, self._table = server.session(), table
        self.session.must(f"BEGIN; INSERT INTO {table} VALUES (1, 'before');")

    def publish(self, server):
        server.psql(f"ALTER PUBLICATION re_dms ADD TABLE {self._table}")
        self.session.must(f"INSERT INTO {self._table} VALUES (2, 'after'); UPDATE {self._table} SET v = v || '!';")

    def commit(self):
        self.session.must("COMMIT;")
        self.session.close()


def slot_waits(server, daemon):
    """A slot that is made for a copy waits for the writer."""
    daemon.wait("a slot waits for the writer", lambda: server.value(WAITS) == "1")


def main():
    with scenario(TABLES, options={"source.auto_setup": False}) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "100"
        server.psql("CREATE PUBLICATION re_dms FOR TABLE marker;"
                    "SELECT pg_create_logical_replication_slot('re_dms', 'pgoutput')")
        first = Writer(server, "begun")
        first.publish(server)
        daemon.start().wait_ready()
        slot_waits(server, daemon)
        first.commit()
        daemon.wait_live(2)

        second = Writer(server, "running")
        second.publish(server)
        slot_waits(server, daemon)
        second.commit()
        daemon.wait_live(3)

        # It ends before anybody looks.
        third = Writer(server, "stopped")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        third.publish(server)
        third.commit()
        daemon.start().wait_ready().wait_live(4)
        daemon.catch_up()
        counts = daemon.compare([("public", name) for name in NAMES])
        expect(set(counts.values()) == {2}, f"two rows each: {counts}")
        expect(daemon.said(COMING) == [], "none is on its way")
    print(f"equal: {counts}")


main()
