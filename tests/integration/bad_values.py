#!/usr/bin/python3
"""Goal: values that the target cannot hold become what docs/types.md says, in copied rows and in changes, in tables with
and without a key; each is counted and shown, a table whose policy or key forbids it is set aside, the others go on."""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

REDSHIFT = os.environ.get("RE_DMS_TEST_TARGET") == "redshift"

COLUMNS = "f float8, r real, n numeric(10,2), d date, s timestamp, z timestamptz, note text, j jsonb, raw bytea"
TABLES = f"""
CREATE TABLE public.keyed (id int PRIMARY KEY, {COLUMNS});
CREATE TABLE public.clamped (id int PRIMARY KEY, {COLUMNS});
CREATE TABLE public.refusing (id int PRIMARY KEY, n numeric(10,2));
CREATE TABLE public.by_number (n numeric(10,2) PRIMARY KEY, v int);
CREATE TABLE public.alike (id int, n numeric(10,2)); ALTER TABLE alike REPLICA IDENTITY FULL;
CREATE TABLE public.copied (id int, n numeric(10,2)); ALTER TABLE copied REPLICA IDENTITY FULL;
CREATE TABLE public.good (id int PRIMARY KEY, v text);
"""
OPTIONS = {"table": [{"match": "public.refusing", "bad_values": "error"},
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
            daemon, "SELECT source_table, source_column, reason, adjusted FROM re_dms.adjusted_counts"):
        counts[table, column] += int(count)
    for table in COPIED:
        for column in NUMBER_OF_NAMES:
            number = times * sum(case[0] == column for case in changed_cases())
            expect(counts[table, column] == number, f"{table}.{column}: {counts[table, column]} counted, not {number}")
    rows = query(daemon, "SELECT source_table, row_key, reason, became, original, below_lsn FROM re_dms.adjusted_values"
                         " WHERE source_column = 'n'")
    expect(len(rows) == times * len(COPIED), f"examples: {rows}")
    for table, key, reason, became, original, lsn in rows:
        expect((reason, became, original) == ("not a number", "NULL", "NaN") and "/" in lsn, f"example: {rows}")
        expect(key is not None, f"key of {table}: {key}")
    total = times * len(COPIED) * len(changed_cases())
    return total


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        server.psql("".join(inserts(table, 0) for table in COPIED) + "INSERT INTO copied VALUES (1, 'NaN')")
        daemon.start().wait_ready()
        daemon.catch_up(set_aside=True)
        daemon.wait("copied is set aside, the others are live", lambda: daemon.said(COMING) == [])
        expect_values(daemon, [0])
        expect_books(daemon, 1)

        server.psql("".join(inserts(table, 100) for table in COPIED))
        daemon.catch_up(set_aside=True)
        expect_values(daemon, [0, 100])
        total = expect_books(daemon, 2)
        expect(f"re_dms_values_adjusted_total {total}" in daemon.get("/metrics")[1], "the metric counts")
        log = daemon.log_text()
        expect("values_adjusted" in log and "NaN" not in log, "the log says columns, never values")

        server.psql("INSERT INTO refusing VALUES (1, 'NaN'); INSERT INTO by_number VALUES ('NaN', 1);"
                    "INSERT INTO alike VALUES (1, 1); INSERT INTO good VALUES (1, 'good')")
        daemon.catch_up(set_aside=True)
        server.psql("DELETE FROM keyed WHERE id < 100; UPDATE keyed SET f = 1, note = 'short' WHERE id >= 100;"
                    "UPDATE clamped SET id = id + 1000; INSERT INTO alike VALUES (2, 'NaN')")
        daemon.catch_up(set_aside=True)
        reasons = daemon.wait("set aside", lambda: (
            found := {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []})
            and len(found) == 4 and found)
        expect("bad_values" in reasons["public.refusing"] and '"n" (numeric(10,2))' in reasons["public.refusing"],
               f"{reasons}")
        for table in ("public.by_number", "public.alike", "public.copied"):
            expect("told apart" in reasons[table], f"{reasons}")
        expect(query(daemon, "SELECT v FROM public.good") == [["good"]]
               or query(daemon, "SELECT v FROM public.good")[0][0] == "good", "the others go on")
        expect(query(daemon, "SELECT count(*) FROM public.keyed")[0][0] == str(len(CASES)), "deleted rows are gone")
        expect(query(daemon, "SELECT count(*) FROM public.clamped WHERE id >= 1000")[0][0] == str(2 * len(CASES)),
               "moved rows are there")
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")
    print(f"{total} values changed, counted and shown")


main()
