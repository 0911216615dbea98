#!/usr/bin/python3
"""Goal: of a table whose publication has a column list or a row filter, the target has these columns and these rows,
whatever becomes of the others; altered lists and filters are followed."""

import random
import re
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, MARKER, NOT_LIVE  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.listed (secret text, id int PRIMARY KEY, a int, gone int, b text);
ALTER TABLE public.listed DROP COLUMN gone;
CREATE TABLE public.filtered (id int PRIMARY KEY, v text);
CREATE TABLE public.both_parts (id int, hidden text, kind text, v text, PRIMARY KEY (id, kind));
CREATE TABLE public.whole_rows (id int PRIMARY KEY, active boolean, big text);
ALTER TABLE public.whole_rows REPLICA IDENTITY FULL;
ALTER TABLE public.whole_rows ALTER big SET STORAGE EXTERNAL;
CREATE TABLE public.parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE public.low PARTITION OF public.parted FOR VALUES FROM (MINVALUE) TO (0);
CREATE TABLE public.high PARTITION OF public.parted DEFAULT;
CREATE TABLE public.toasted (id int PRIMARY KEY, big text);
ALTER TABLE public.toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE public.empty (id int PRIMARY KEY, a int, b int);
INSERT INTO public.listed SELECT 'secret', i, i, 'row ' || i FROM generate_series(-300, 300) i;
INSERT INTO public.filtered SELECT i, 'row ' || i FROM generate_series(-300, 300) i;
INSERT INTO public.both_parts
  SELECT i, 'hidden', k, 'row ' || i FROM generate_series(0, 40, 2) i, unnest('{in,out}'::text[]) k;
INSERT INTO public.whole_rows SELECT i, i % 2 = 0, repeat(md5(i::text), 100) FROM generate_series(0, 40) i;
INSERT INTO public.parted SELECT i, 'row ' || i FROM generate_series(-300, 300) i;
INSERT INTO public.toasted SELECT i, repeat(md5(i::text), 100) FROM generate_series(-3, 3) i;
"""
# What is published: in the words of the publication, and as somebody who compares asks for it.
PARTS = {
    "listed": ("(b, id, a)", "id, a, b", "true"),
    "filtered": ("WHERE (id > 0)", "id, v", "id > 0"),
    "both_parts": ("(v, kind, id) WHERE (kind = 'in' AND id <> 7)", "id, kind, v", "kind = 'in' AND id <> 7"),
    "whole_rows": ("WHERE (active)", "id, active, big", "active"),
    "low": ("(id) WHERE (id > -100)", "id", "id > -100"),
    "high": ("", "id, v", "true"),
    "toasted": ("WHERE (id > 0)", "id, big", "id > 0"),
    "empty": ("(id, b) WHERE (id > 0)", "id, b", "id > 0"),
}
NAMED = [f"{table} {part[0]}" for table, part in PARTS.items() if table != "high"]
PUBLISHED = ", ".join([*NAMED, "parted", MARKER])
PUBLISH = f"CREATE PUBLICATION re_dms FOR TABLE {PUBLISHED}"
SLOT = "SELECT pg_create_logical_replication_slot('re_dms', 'pgoutput')"
CHANGES = [
    "INSERT INTO listed (id, a, b) VALUES ({n}, {m}, '{m}') ON CONFLICT (id) DO UPDATE SET a = excluded.a",
    "UPDATE listed SET id = {m} WHERE id = {n}", "UPDATE listed SET secret = '{m}' WHERE id = {n}",
    "DELETE FROM listed WHERE id = {n}", "UPDATE listed SET b = NULL, secret = NULL WHERE id = {n}",
    "INSERT INTO filtered VALUES ({n}, '{m}') ON CONFLICT (id) DO UPDATE SET v = excluded.v",
    "UPDATE filtered SET id = -id, v = '{m}' WHERE id = {n}", "UPDATE filtered SET id = {m} WHERE id = {n}",
    "DELETE FROM filtered WHERE id = {n}", "UPDATE filtered SET id = id + 1000 WHERE id = {n}",
    "INSERT INTO both_parts (id, kind, v) VALUES ({n}, 'in', '{m}')"
    " ON CONFLICT (id, kind) DO UPDATE SET v = excluded.v",
    "UPDATE both_parts SET kind = CASE kind WHEN 'in' THEN 'out' ELSE 'in' END WHERE id = {n}",
    "UPDATE both_parts SET id = {m}, hidden = '{m}' WHERE id = {n} AND kind = 'in'",
    "DELETE FROM both_parts WHERE id = {n} AND kind = 'out'",
    "INSERT INTO whole_rows VALUES ({n}, {m} > 20, repeat(md5('{m}'), 100))"
    " ON CONFLICT (id) DO UPDATE SET active = excluded.active",
    "UPDATE whole_rows SET active = NOT active WHERE id = {n}", "DELETE FROM whole_rows WHERE id = {n}",
    "UPDATE whole_rows SET active = NULL WHERE id = {n}",
    "UPDATE parted SET id = -id WHERE id = {n}", "UPDATE parted SET id = id - 100, v = '{m}' WHERE id = -{n}",
    "INSERT INTO parted VALUES ({m} - {n}, '{n}') ON CONFLICT (id) DO UPDATE SET v = excluded.v",
    "INSERT INTO empty VALUES ({m} - {n}, {n}, {m}) ON CONFLICT (id) DO UPDATE SET a = {n}, b = {m}",
    "UPDATE empty SET id = -id WHERE id = {m} - {n}",
]


# 23505 unique_violation, 40P01 deadlock_detected; what follows in the transaction is refused.
EXPECTED = {"23505", "40P01", "25P02"}


class Changes:
    """Clients that change all tables until they are stopped. What violates a key is rolled back."""

    def __init__(self, server, seed, clients=3):
        self._server, self._stop = server, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed} {number}"),))
                         for number in range(clients)]
        self._codes = set()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        expect(self._codes <= EXPECTED, f"the changes went wrong: {self._codes}")

    def _run(self, dice):
        with self._server.session() as session:
            while not self._stop.wait(0.005):
                changes = [dice.choice(CHANGES).format(n=dice.randrange(40), m=dice.randrange(40))
                           for _ in range(dice.randrange(1, 5))]
                said = session.run(f"BEGIN; {'; '.join(changes)}; {dice.choice(['COMMIT'] * 5 + ['ROLLBACK'])};")
                self._codes.update(re.findall(r"ERROR:  (\w{5}):", said))


def compare(server, daemon, parts, without=()):
    daemon.catch_up()
    with DuckdbFile(str(daemon.warehouse)) as duck:
        for table, (_, columns, condition) in parts.items():
            if table in without:
                continue
            names = columns.split(", ")
            found = list(duck.columns("public", table))
            expect(found == names, f"{table} has the columns {found}, not {names}")
            texts = ", ".join(f"{name}::text" for name in names)
            left = server.rows(f"SELECT {texts} FROM ONLY public.{table} WHERE {condition}")
            right = [list(row) for row in duck.query(f"SELECT {columns} FROM public.{table}")]
            order = {"key": repr}
            expect(sorted(left, **order) == sorted(right, **order),
                   f"{table}: {len(left)} rows in PostgreSQL, {len(right)} in the target; only there:"
                   f" {[row for row in right if row not in left][:5]}, missing:"
                   f" {[row for row in left if row not in right][:5]}")
            expect(left, f"no row of {table} is published: nothing was compared")


def waits(daemon, since=0):
    return daemon.log_text()[since:].count('"event":"table_waits"')


def alter(server, table, words):
    """In one transaction, as somebody has to who does not want the whole table published in between."""
    server.psql(f"BEGIN; ALTER PUBLICATION re_dms DROP TABLE {table};"
                f" ALTER PUBLICATION re_dms ADD TABLE {table} {words}; COMMIT")


def what_is_left_out_changes(server, daemon):
    """Columns outside the list come, go, and change their type: nobody copies a table for that."""
    before = len(daemon.log_text())
    for change in ("ADD extra int DEFAULT 7", "ADD volatile float8 DEFAULT random()", "ALTER secret TYPE bytea USING ''",
                   "DROP extra", "RENAME secret TO renamed", "ADD secret text", "DROP volatile", "DROP renamed"):
        server.psql(f"ALTER TABLE listed {change}; UPDATE listed SET a = a + 1 WHERE id < 0")
        server.psql("INSERT INTO empty VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET b = 1")
        daemon.catch_up()
    server.psql("ALTER TABLE both_parts ALTER hidden TYPE int USING 1; TRUNCATE filtered, empty")
    server.psql("INSERT INTO filtered SELECT i, 'new' FROM generate_series(-30, 30) i; INSERT INTO empty VALUES (1)")
    compare(server, daemon, PARTS)
    expect(waits(daemon, before) == 0, "nothing was copied anew")


def parts_are_altered(server, daemon, parts):
    """Behind rows of the old list, and without any of the new one."""
    for table, words, columns, condition in (
            ("listed", "(id, b)", "id, b", "true"), ("listed", "(id, a, secret)", "id, a, secret", "true"),
            ("filtered", "WHERE (id > 10)", "id, v", "id > 10"), ("both_parts", "", "id, hidden, kind, v", "true"),
            ("low", "WHERE (id < -5)", "id, v", "id < -5"), ("empty", "(id) WHERE (id > 0)", "id", "id > 0"),
            ("listed", "(id, a)", "id, a", "true")):
        parts[table] = (words, columns, condition)
        since = len(daemon.log_text())
        alter(server, table, words)
        # Each stream begins with a question about all tables.
        server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 're_dms'")
        daemon.wait_copied_anew(f"public.{table}", "altered", since=since)
        compare(server, daemon, parts)
        expect(waits(daemon, since) == 1, f"{table} was copied more than once, or others were too")


def published_columns_are_renamed(server, daemon, parts):
    """The list and the filter go with the columns."""
    for table, change, columns, condition in (("listed", "RENAME a TO number", "id, number", "true"),
                                              ("toasted", "RENAME id TO key", "key, big", "key > 0")):
        since = len(daemon.log_text())
        server.psql(f"ALTER TABLE {table} {change}; INSERT INTO {table} ({columns}) VALUES (777, 777)")
        daemon.wait_copied_anew(f"public.{table}", since=since)
        parts[table] = ("", columns, condition)
        compare(server, daemon, parts)


def rows_enter_without_a_value(server, daemon, parts):
    """An UPDATE that does not touch the large value brings it into the filter."""
    since = len(daemon.log_text())
    server.psql("UPDATE toasted SET key = 103 WHERE key = -3")
    daemon.wait_copied_anew("public.toasted", "row filter", since=since)
    compare(server, daemon, parts)


def by_hand():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    parts = dict(PARTS)
    with scenario(TABLES, options={"source.auto_setup": False}) as (server, daemon):
        server.psql(PUBLISH)
        server.psql(SLOT)
        with Changes(server, seed):
            daemon.start().wait_ready().wait_live(len(PARTS) + 1)
        compare(server, daemon, parts)
        since = waits(daemon)
        for begin, end in (("stop", "start"), ("kill", "start"), ("wait_journaled", "running")):
            with Changes(server, f"{seed} {begin}"):
                daemon.wait_journaled()
                getattr(daemon, begin)()
                getattr(daemon, end)()
                daemon.wait_ready().wait_journaled()
            compare(server, daemon, parts)
        expect(waits(daemon) == since, "nothing was copied anew")
        what_is_left_out_changes(server, daemon)
        code, said, _ = daemon.run("resync", "public.*")
        expect(code == 0, said)
        with Changes(server, f"{seed} resync"):
            daemon.wait("copied anew", lambda: waits(daemon) >= since + len(PARTS))
            daemon.wait("all are live again", lambda: daemon.said(COMING) == [])
        compare(server, daemon, parts)
        parts_are_altered(server, daemon, parts)
        published_columns_are_renamed(server, daemon, parts)
        rows_enter_without_a_value(server, daemon, parts)
        server.psql("ALTER TABLE listed RENAME number TO a")
        parts["listed"] = ("", "id, a", "true")
        with Changes(server, f"{seed} end"):
            daemon.stop()
            alter(server, "filtered", "WHERE (id < 30)")
            parts["filtered"] = ("", "id, v", "id < 30")
            since = len(daemon.log_text())
            daemon.start().wait_ready()
            daemon.wait_copied_anew("public.filtered", "altered", since=since)
        compare(server, daemon, parts)
        expect(daemon.said(NOT_LIVE) == [], "no table is set aside")


def added_by_hand():
    """To a publication of re_dms's own. A key outside the list is a person's business."""
    with scenario("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)") as (
            server, daemon):
        daemon.start().wait_ready().wait_live(2)
        server.psql("BEGIN; CREATE TABLE later (a int, id int PRIMARY KEY, b int); INSERT INTO later VALUES (1, 1, 1);"
                    " ALTER PUBLICATION re_dms ADD TABLE later (id, b) WHERE (id < 2); COMMIT")
        server.psql("INSERT INTO later VALUES (0, 0, 0), (2, 2, 2)")
        alter(server, "t", "(id)")
        daemon.wait_copied_anew("public.t", "altered", seconds=100)
        daemon.wait_live(3)
        compare(server, daemon, {"t": ("", "id", "true"), "later": ("", "id, b", "id < 2")})
        alter(server, "t", "(a)")
        server.psql("INSERT INTO t VALUES (4, 1)")
        daemon.wait("set aside", lambda: daemon.said(NOT_LIVE))
        expect("column list" in daemon.said(NOT_LIVE)[0]["reason"], daemon.said(NOT_LIVE))
        code, said, _ = daemon.run("check")
        expect("public.t: columns a" in said and "lacks id" in said, f"check: {code}\n{said}")
        alter(server, "t", "WHERE (id > 2)")
        code, said, _ = daemon.run("resync", "public.t")
        daemon.wait_live(3)
        compare(server, daemon, {"t": ("", "id, a", "id > 2"), "later": ("", "id, b", "id < 2")})


by_hand()
added_by_hand()
