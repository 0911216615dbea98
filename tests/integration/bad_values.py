#!/usr/bin/python3
"""Goal: values that the target cannot hold become what docs/types.md says, in copied rows and in changes, in tables with
and without a key; each is counted and shown, a table whose policy or key forbids it is set aside, the others go on."""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

REDSHIFT = os.environ.get("RE_DMS_TEST_TARGET") == "redshift"

COLUMNS = "f float8, r real, n numeric(10,2), d date, s timestamp, z timestamptz, note text, j jsonb, raw bytea"
TABLES = f"""
CREATE TABLE public.keyed (id int PRIMARY KEY, {COLUMNS});
CREATE TABLE public.clamped (id int PRIMARY KEY, {COLUMNS});
CREATE TABLE public.refusing (id int PRIMARY KEY, n numeric(10,2));
CREATE TABLE public.growing (id int PRIMARY KEY); INSERT INTO growing VALUES (1);
CREATE TABLE public.by_column (id int PRIMARY KEY, n numeric(10,2), other numeric(10,2));
CREATE TABLE public.by_number (n numeric(10,2) PRIMARY KEY, v int);
CREATE TABLE public.alike (id int, n numeric(10,2)); ALTER TABLE alike REPLICA IDENTITY FULL;
CREATE TABLE public.copied (id int, n numeric(10,2)); ALTER TABLE copied REPLICA IDENTITY FULL;
CREATE TABLE public.odd (id int PRIMARY KEY, v text);
CREATE TABLE public.good (id int PRIMARY KEY, v text);
"""
OPTIONS = {"table": [{"match": "public.refusing", "bad_values": "error"},
                     {"match": "public.growing", "bad_values": "error"},
                     {"match": "public.by_column", "bad_values": "error", "column_bad_values": {"n": "null"}},
                     {"match": "public.clamped", "bad_values": "clamp"}]}
COPIED = ("keyed", "clamped")
NUMBER_OF_NAMES = {"f": 0, "r": 1, "n": 2, "d": 3, "s": 4, "z": 5, "note": 6, "j": 7, "raw": 8}

# Of columns: SQL of a value, what Redshift holds, what DuckDB holds; where clamping makes another one, that too.
LONG = "repeat('é', 35000)"
CASES = [
    ("f", "'NaN'", None, "nan"),
    ("f", "'Infinity'", None, "inf", "1.7976931348623157e+308"),
    ("r", "'-Infinity'", None, "-inf", "-3.4028235e+38"),
    ("n", "'NaN'", None, None),
    ("d", "'infinity'", "9999-12-31", "infinity"),
    ("d", "'0044-03-15 BC'", "0001-01-01", "0044-03-15 (BC)"),
    ("s", "'-infinity'", "0001-01-01 00:00:00", "-infinity"),
    ("s", "'294276-12-31'", "9999-12-31 23:59:59.999999", "294247-01-10 04:00:54.775806"),
    ("z", "'10000-01-01 00:00:00+00'", "9999-12-31 23:59:59.999999+00", "10000-01-01 00:00:00+00"),
    ("note", LONG, "é" * 32767, "é" * 35000),
    ("j", "to_jsonb(repeat('x', 70000))", None, '"' + "x" * 70000 + '"'),
]


def inserts(table, first):
    return "".join(f"INSERT INTO {table} (id, {column}) VALUES ({first + number}, {value});"
                   for number, (column, value, *_) in enumerate(CASES))


def query(daemon, sql):
    if REDSHIFT:
        return daemon.target.standin.sql(sql)
    with DuckdbFile(str(daemon.warehouse)) as duck:
        return duck.query(sql)


def wanted(case, table):
    value = case[2] if REDSHIFT else case[3]
    return case[4] if REDSHIFT and table == "clamped" and len(case) > 4 else value


def same(found, value):
    if found is None or value is None:
        return found is None and value is None
    # The stand-in shows 15 digits of a double, as Redshift does.
    return found == value or "e+" in value and found[:8] == value[:8] and found[-4:] == value[-4:]


def expect_values(daemon, firsts):
    for table in COPIED:
        for first in firsts:
            for number, case in enumerate(CASES):
                rows = query(daemon, f"SELECT {case[0]} FROM public.{table} WHERE id = {first + number}")
                expect(len(rows) == 1, f"{table} {first + number}: {len(rows)} rows")
                value = wanted(case, table)
                expect(same(rows[0][0], value), f"{table}.{case[0]}: {rows[0][0]!r:.60} for {case[1]}, not {value!r:.60}")


def changed_cases():
    return [case for case in CASES if (case[0] in ("n",) or case[1] == "'294276-12-31'" or REDSHIFT)]


def expect_books(daemon, times):
    """Every case was staged TIMES for each table that took it."""
    counts = {(table, column): 0 for table in COPIED for column in NUMBER_OF_NAMES}
    for table, column, _, count in query(
            daemon, "SELECT source_table, source_column, reason, adjusted FROM re_dms.adjusted_counts"
                    f" WHERE source_table IN {COPIED}"):
        counts[table, column] += int(count)
    for table in COPIED:
        for column in NUMBER_OF_NAMES:
            number = times * sum(case[0] == column for case in changed_cases())
            expect(counts[table, column] == number, f"{table}.{column}: {counts[table, column]} counted, not {number}")
    rows = query(daemon, "SELECT source_table, row_key, reason, became, original, below_lsn FROM re_dms.adjusted_values"
                         f" WHERE source_column = 'n' AND source_table IN {COPIED}")
    expect(len(rows) == times * len(COPIED), f"examples: {rows}")
    for table, key, reason, became, original, lsn in rows:
        expect((reason, became, original) == ("not a number", "NULL", "NaN") and "/" in lsn, f"example: {rows}")
        expect(key is not None, f"key of {table}: {key}")
    total = times * len(COPIED) * len(changed_cases())
    return total


def rows_without_a_key(server, daemon):
    """They go as they came, also with rows beside them that became equal, and count when they come."""
    server.psql("INSERT INTO alike VALUES (1, 'NaN'), (1, NULL), (1, 'NaN'), (2, 'NaN'), (3, 4.5);"
                " DELETE FROM copied WHERE n = 'NaN'; INSERT INTO copied VALUES (2, 1), (3, 'NaN')")
    daemon.catch_up()
    server.psql("DELETE FROM alike WHERE ctid = (SELECT min(ctid) FROM alike WHERE n = 'NaN');"
                " UPDATE alike SET id = 7 WHERE n = 'NaN' AND id = 2; UPDATE alike SET n = 'NaN' WHERE id = 3;"
                " UPDATE copied SET id = id + 10")
    daemon.catch_up()
    for table, wanted in (("alike", "1- 1- 3- 7-"), ("copied", "12 13-")):
        rows = sorted(query(daemon, f"SELECT id, n FROM public.{table}"), key=lambda row: int(row[0]))
        found = " ".join(f"{row[0]}{'-' if row[1] is None else ''}" for row in rows)
        expect(found == wanted, f"{table}: {found}, not {wanted}")
    # Of a new column as well, whose value in older rows counts once.
    server.psql("ALTER TABLE alike ADD late numeric(10,2) DEFAULT 'NaN'; INSERT INTO alike VALUES (9, 1, 2);"
                " DELETE FROM alike WHERE id = 3")
    daemon.catch_up()
    rows = sorted(query(daemon, "SELECT id, n, late FROM public.alike"), key=lambda row: int(row[0]))
    expect([list(row) for row in rows] == [["1", None, None], ["1", None, None], ["7", None, None], ["9", "1.00", "2.00"]],
           f"alike: {rows}")
    counts = {(row[0], row[1]): int(row[2]) for row in query(
        daemon, "SELECT source_table, source_column, adjusted FROM re_dms.adjusted_counts"
                " WHERE source_table IN ('alike', 'copied')")}
    expect(counts == {("alike", "n"): 5, ("copied", "n"): 3, ("alike", "late"): 1}, f"{counts}")


def refused_by_copy(server, daemon):
    """What no rule foresees and COPY refuses sets its table aside; Redshift is asked which value it is."""
    daemon.target.standin.fail('^COPY "public"."odd"', sqlstate="XX000", times=9,
                               message="Load into table 'odd' failed.  Check 'stl_load_errors' system table for details.")
    server.psql("INSERT INTO odd VALUES (1, 'x'); INSERT INTO good VALUES (2, 'good too'); DELETE FROM good WHERE id = 2")
    daemon.catch_up(set_aside=True)
    daemon.wait("it is set aside", lambda: "public.odd" in [entry["table"] for entry in daemon.said(NOT_LIVE)])
    asked = [entry["sql"] for entry in daemon.target.standin.statements() if "load_error" in entry["sql"]]
    expect(any("stl_load_errors" in sql for sql in asked) and any("sys_load_error_detail" in sql for sql in asked),
           f"asked: {asked}")


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        server.psql("".join(inserts(table, 0) for table in COPIED) + "INSERT INTO copied VALUES (1, 'NaN')")
        daemon.start().wait_ready()
        daemon.catch_up()
        expect_values(daemon, [0])
        expect_books(daemon, 1)

        server.psql("".join(inserts(table, 100) for table in COPIED))
        daemon.catch_up(set_aside=True)
        expect_values(daemon, [0, 100])
        total = expect_books(daemon, 2)
        # With that of the row without a key.
        expect(f"re_dms_values_adjusted_total {total + 1}" in daemon.get("/metrics")[1], "the metric counts")
        log = daemon.log_text()
        expect("values_adjusted" in log and "NaN" not in log, "the log says columns, never values")

        rows_without_a_key(server, daemon)
        server.psql("INSERT INTO by_column VALUES (1, 'NaN', 1)")
        daemon.catch_up()
        expect(query(daemon, "SELECT n, other FROM public.by_column") in ([[None, "1.00"]], [(None, "1.00")]), "by_column")

        server.psql("INSERT INTO refusing VALUES (1, 'NaN'); INSERT INTO by_number VALUES ('NaN', 1);"
                    "INSERT INTO by_column VALUES (2, 1, 'NaN'); INSERT INTO good VALUES (1, 'good');"
                    "ALTER TABLE growing ADD late numeric(10,2) DEFAULT 'NaN'; INSERT INTO growing VALUES (2, 1)")
        daemon.catch_up(set_aside=True)
        server.psql("DELETE FROM keyed WHERE id < 100; UPDATE keyed SET f = 1, note = 'short' WHERE id >= 100;"
                    "UPDATE clamped SET id = id + 1000")
        daemon.catch_up(set_aside=True)
        reasons = daemon.wait("set aside", lambda: (
            found := {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []})
            and len(found) == 4 and found)
        expect("bad_values" in reasons["public.refusing"] and '"n" (numeric(10,2))' in reasons["public.refusing"],
               f"{reasons}")
        expect('"late" (numeric(10,2))' in reasons["public.growing"], f"{reasons}")
        expect('"other" (numeric(10,2))' in reasons["public.by_column"], f"{reasons}")
        expect("told apart" in reasons["public.by_number"], f"{reasons}")
        if REDSHIFT:
            refused_by_copy(server, daemon)
        expect(query(daemon, "SELECT v FROM public.good") == [["good"]]
               or query(daemon, "SELECT v FROM public.good")[0][0] == "good", "the others go on")
        expect(query(daemon, "SELECT count(*) FROM public.keyed")[0][0] == str(len(CASES)), "deleted rows are gone")
        expect(query(daemon, "SELECT count(*) FROM public.clamped WHERE id >= 1000")[0][0] == str(2 * len(CASES)),
               "moved rows are there")
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")
    print(f"{total} values changed, counted and shown")


main()
