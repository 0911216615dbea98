#!/usr/bin/python3
"""Goal: a table of the target is adopted with its view, its comment and a column more, under traffic, and stays the same
one through a restart, a kill in the middle of a copy, healing and a resync; tables that are never copied begin exactly
where they say, also behind a writer that was open meanwhile, and wait for a person where only a copy would help."""

import json
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from daemon import COMING, NOT_LIVE  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from postgres import parse_lsn  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.orders (id int PRIMARY KEY, v text, n int);
INSERT INTO public.orders SELECT i, 'row ' || i, i FROM generate_series(1, 5000) i;
CREATE TABLE public.unfit (id int PRIMARY KEY, v text); INSERT INTO public.unfit VALUES (1, 'one');
CREATE TABLE public.log (id int PRIMARY KEY, v text); INSERT INTO public.log VALUES (1, 'before'), (2, 'before');
CREATE TABLE public.log_kept (id int PRIMARY KEY, v text); INSERT INTO public.log_kept VALUES (1, 'before');
CREATE TABLE public.log_empty (id int PRIMARY KEY, v text);
CREATE TABLE public.log_still (id int PRIMARY KEY, v text); INSERT INTO public.log_still VALUES (1, 'before');
"""
OPTIONS = {"source.include": [*traffic.INCLUDE, "public.*"],
           "table": [{"match": "public.log*", "initial_copy": "never"}, {"match": "public.*", "initial_copy": "adopt"}]}
# In another order, with columns that the source does not have; log_kept has a row that the source does not.
TARGET = ["CREATE TABLE public.orders (extra varchar, n int, made varchar DEFAULT 'here', v varchar, id int NOT NULL)",
          "COMMENT ON TABLE public.orders IS 'theirs'",
          "CREATE VIEW public.seen AS SELECT id, v, n, extra FROM public.orders",
          "INSERT INTO public.orders (id, v) VALUES (-1, 'theirs')",
          "CREATE TABLE public.unfit (id int, v int)",
          "CREATE TABLE public.log_kept (v varchar, id int, extra int DEFAULT 5)",
          "INSERT INTO public.log_kept VALUES ('theirs', -1, 6)",
          "CREATE TABLE public.log_still (id int, v varchar)",
          "INSERT INTO public.log_still VALUES (-1, 'theirs')"]


def target(daemon, sql):
    with DuckdbFile(str(daemon.warehouse)) as duck:
        return duck.query(sql)


def make_target(daemon):
    """The target is theirs before re_dms comes to it."""
    with DuckdbFile(str(daemon.warehouse), writable=True) as duck:
        duck.execute("CREATE SCHEMA IF NOT EXISTS public")
        for statement in TARGET:
            duck.execute(statement)


def expect_orders(server, daemon, extra=()):
    """Equal to the source, in the table that was there. EXTRA: columns that came since."""
    daemon.catch_up(set_aside=True)
    wanted = server.psql("SELECT count(*) || ' ' || sum(hashtext(concat_ws('|', id, v, n))::bigint) FROM orders")
    # Compared as text by the source, which has no hash in common with the target.
    rows = target(daemon, "SELECT id, v, n, extra FROM public.seen")
    values = ", ".join("({}, {}, {})".format(row[0], "NULL" if row[1] is None else f"'{row[1]}'", row[2] or "NULL::int")
                       for row in rows)
    found = server.psql("SELECT count(*) || ' ' || sum(hashtext(concat_ws('|', id, v, n))::bigint)"
                        f" FROM (VALUES {values}) rows (id, v, n)")
    expect(found == wanted, f"orders has {found}, not {wanted}")
    expect({row[3] for row in rows} == {None}, "rows of the source have NULL in the other column")
    with DuckdbFile(str(daemon.warehouse)) as duck:
        comment = duck.value("SELECT comment FROM duckdb_tables() WHERE table_name = 'orders'")
        columns = list(duck.columns("public", "orders"))
        copies = duck.value("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 're_dms_copy%'")
    expect(comment == "theirs", "it is another table than the one that was there")
    expect(columns == ["extra", "n", "made", "v", "id", *extra], f"columns: {columns}")
    expect(copies == "0", "a copy is left beside its table")


def reasons(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []}


def lines_of(daemon, event, table):
    lines = map(json.loads, filter(lambda line: line.startswith("{"), daemon.log_text().splitlines()))
    return [line for line in lines if line["event"] == event and line.get("table") == table]


def begin(server, daemon, load):
    """A writer is open while its tables join the publication: it ends once the slot of the copies waits for it."""
    with server.session() as writer:
        writer.must("BEGIN; INSERT INTO log VALUES (10, 'open'); INSERT INTO log_kept VALUES (10, 'open')")
        daemon.start()
        server.psql("SELECT 1")
        daemon.wait("a slot waits for the writer", lambda: waits_for_writer(server))
        writer.must("INSERT INTO log VALUES (11, 'open'); COMMIT")
    daemon.wait_ready()
    load.run_for(2)
    daemon.wait("all are on their way", lambda: daemon.said(COMING) == [], 120)


def waits_for_writer(server):
    return server.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND backend_type = 'walsender'").strip() != "0"


def expect_beginnings(server, daemon):
    """What begins without a copy holds what was committed behind its position, and what somebody put there."""
    for table in ("log", "log_kept", "log_empty", "log_still"):
        said = lines_of(daemon, "table_not_copied", f"public.{table}")
        expect(len(said) == 1 and 'initial_copy is "never"' in said[0]["message"], f"said once: {said}")
        expect(parse_lsn(said[0]["position"]) > 0, f"with its position: {said}")
    not_copied = sorted(entry["table"] for entry in daemon.said(("tables", "not_copied")))
    expect(not_copied == [f"public.log{name}" for name in ("", "_empty", "_kept", "_still")], f"status: {not_copied}")
    server.psql("INSERT INTO log VALUES (20, 'new'); INSERT INTO log_kept VALUES (20, 'new');"
                "INSERT INTO log_empty VALUES (20, 'new'); UPDATE log SET v = 'whole' WHERE id = 2; DELETE FROM log"
                " WHERE id = 1; UPDATE log_kept SET v = 'new' WHERE id = 20")
    daemon.catch_up(set_aside=True)
    expect(sorted(target(daemon, "SELECT id, v FROM public.log")) == [("2", "whole"), ("20", "new")], "log")
    expect(sorted(target(daemon, "SELECT id, v, extra FROM public.log_kept")) ==
           [("-1", "theirs", "6"), ("20", "new", "5")], "log_kept")
    expect(target(daemon, "SELECT * FROM public.log_empty") == [("20", "new")], "log_empty")
    expect("re_dms_rows_not_there_total 2" in daemon.get("/metrics")[1], daemon.get("/metrics")[1])


def join_under_a_writer(server, daemon):
    """A table that joins the publication while somebody writes to it: that transaction is before its position, which
    waits for it, and what comes right behind is not missed."""
    server.psql("CREATE TABLE log_late (id int PRIMARY KEY, v text); INSERT INTO log_late VALUES (1, 'before')")
    with server.session() as writer:
        writer.must("BEGIN; INSERT INTO log_late VALUES (2, 'open')")
        daemon.wait("it is published", lambda: server.psql(
            "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'log_late'").strip() == "1")
        daemon.wait("a slot waits for the writer", lambda: waits_for_writer(server))
        writer.must("INSERT INTO log_late VALUES (3, 'open'); COMMIT")
    server.psql("INSERT INTO log_late SELECT i, 'behind' FROM generate_series(4, 103) i")
    daemon.wait("it begins", lambda: lines_of(daemon, "table_not_copied", "public.log_late"))
    server.psql("INSERT INTO log_late VALUES (200, 'new')")
    daemon.catch_up(set_aside=True)
    # It holds what came until here when it has joined the live ones.
    daemon.wait("it has joined", lambda: daemon.said(COMING) == [])
    found = {int(row[0]) for row in target(daemon, "SELECT id FROM public.log_late")}
    # The hundred are one transaction, on one side of the position or the other.
    position = parse_lsn(lines_of(daemon, "table_not_copied", "public.log_late")[0]["position"])
    expect(found in ({200}, {200, *range(4, 104)}), f"from {position:X} on: {sorted(found)}")


def heal(server, daemon):
    """What the stream cannot tell: the adopted table is refilled, the one that is never copied waits for a person."""
    server.psql("ALTER TABLE orders RENAME v TO w; ALTER TABLE orders ADD v text; UPDATE orders SET v = w, w = 'w';"
                "ALTER TABLE log RENAME v TO w; INSERT INTO log VALUES (30, 'renamed');"
                # It has rows in the target, whose values in the column nobody can tell.
                "ALTER TABLE log_still ADD u uuid DEFAULT gen_random_uuid(); INSERT INTO log_still VALUES (2, 'new')")
    daemon.wait("these wait for a person", lambda: {"public.log", "public.log_still"} <= set(reasons(daemon)))
    daemon.wait("orders is back", lambda: daemon.said(COMING) == [], 120)
    expect('It is not copied anew, because its initial_copy is "never"' in reasons(daemon)["public.log"], reasons(daemon))
    expect_orders(server, daemon, ["w"])
    expect({row[0] for row in target(daemon, "SELECT w FROM public.orders")} == {"w"}, "the new column is filled")


def resync(daemon, *words, code=0):
    found, printed, said = daemon.run("resync", *words)
    expect(found == code, f"resync {words} ends with {found}: {printed}{said}")
    return printed + said


def mend_by_hand(server, daemon):
    said = resync(daemon, "public.log_kept", code=2)
    expect("public.log_kept is not copied anew" in said, said)
    with DuckdbFile(str(daemon.warehouse), writable=True) as duck:
        duck.execute("DROP TABLE public.unfit")
    printed = resync(daemon, "public.log", "public.log_still", "public.unfit")
    expect("public.log begins again without its rows" in printed and "public.unfit is copied anew" in printed, printed)
    daemon.wait("all are followed", lambda: daemon.said(COMING) == [] and not reasons(daemon), 120)
    server.psql("INSERT INTO log VALUES (31, 'again')")
    daemon.catch_up()
    found = sorted(target(daemon, "SELECT id, v, w FROM public.log"))
    expect(found == [("2", "whole", None), ("20", "new", None), ("31", None, "again")], f"log: {found}")
    daemon.compare([("public", "unfit")])


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "200"
        make_target(daemon)
        traffic.create_tables(server)
        with traffic.Traffic(server, clients=2, pause=0.02, columns=150) as load:
            begin(server, daemon, load)
            expect(list(reasons(daemon)) == ["public.unfit"], f"set aside: {reasons(daemon)}")
            words = "the table public.unfit of the target does not fit: column \"v\" is of type INTEGER, not VARCHAR"
            expect(words in reasons(daemon)["public.unfit"], reasons(daemon))
            server.psql("UPDATE orders SET v = v || '!' WHERE id % 3 = 0; DELETE FROM orders WHERE id % 5 = 0;"
                        "INSERT INTO orders VALUES (9000, 'more', NULL)")
            expect_orders(server, daemon)
            expect_beginnings(server, daemon)
            join_under_a_writer(server, daemon)
            # A restart looks at the shapes of all tables.
            expect(daemon.stop() == 3, "SIGTERM ends it with 3")
            server.psql("UPDATE orders SET n = n + 1 WHERE id < 100; INSERT INTO log VALUES (21, 'meanwhile');"
                        "DELETE FROM log WHERE id = 21")
            daemon.start().wait_ready()
            expect_orders(server, daemon)
            # Killed where the table is emptied, whose rows the next run copies once more.
            daemon.kill()
            daemon.environment["RE_DMS_FAILPOINT"] = "copy-adopt-emptied"
            daemon.start().wait_ready()
            resync(daemon, "public.orders")
            expect(daemon.wait_end() == -signal.SIGKILL, "killed by the failpoint")
            del daemon.environment["RE_DMS_FAILPOINT"]
            expect(len(target(daemon, "SELECT * FROM public.seen")) > 4000, "readers see all rows")
            daemon.start().wait_ready()
            daemon.wait("orders is back", lambda: daemon.said(COMING) == [], 120)
            expect_orders(server, daemon)
            heal(server, daemon)
            mend_by_hand(server, daemon)
            before = len(daemon.log_text())
            printed = resync(daemon, "--all")
            expect("public.log is not copied anew" in printed, printed)
            daemon.wait_copied_anew("public.orders", "somebody asked", since=before, seconds=120)
        traffic.touch_tables(server)
        expect_orders(server, daemon, ["w"])
        counts = daemon.compare([*traffic.TABLES])
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    print(f"equal: {counts}")


main()
