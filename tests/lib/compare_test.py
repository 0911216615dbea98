#!/usr/bin/python3
"""Goal: compare.py finds equal what is equal, and every change of a value, row or column."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import compare  # noqa: E402
from duckdb_file import DuckdbFile, DuckdbError, identifier, literal  # noqa: E402
from postgres import Postgres  # noqa: E402

TABLE = ("public", 'All "kinds"')
# PostgreSQL type, DuckDB type, values.
KINDS = [
    ("bigint", "BIGINT", ["-9223372036854775808", "9223372036854775807"]),
    ("boolean", "BOOLEAN", ["true", "false"]),
    ("real", "FLOAT", ["NaN", "-Infinity", "1e-45", "3.4028235e38", "0.1", "-0", "16777216"]),
    ("double precision", "DOUBLE", ["NaN", "Infinity", "5e-324", "-2.2250738585072014e-308", "0.1",
                                    "1.7976931348623157e308", "-0", "0", "1", "1024", "123456789.125"]),
    ("numeric(20,4)", "DECIMAL(20,4)", ["1.5", "-9999999999999999.9999", "0", "NaN"]),
    ("numeric", "VARCHAR", ["NaN", "1.500", "1e-20", "Infinity"]),
    ("text", "VARCHAR", ["", "\\N", "NULL", "a\nb", "é😀", '"', "trailing ", "\\", "1:x,"]),
    ("char(5)", "VARCHAR", ["ab", ""]),
    ("date", "DATE", ["2024-02-29", "0044-03-15 BC", "infinity", "10000-01-01", "5874897-12-31"]),
    ("time", "TIME", ["24:00:00", "12:00:00.1"]),
    ("timestamp", "TIMESTAMP", ["2024-01-01 00:00:00.100001", "0044-03-15 12:00:00 BC", "infinity"]),
    ("timestamptz", "TIMESTAMPTZ", ["2024-06-30 18:30:00.5+00", "-infinity", "0044-03-15 12:00:00+00 BC"]),
    ("interval", "VARCHAR", ["1 year 2 mons -3 days 04:05:06.7"]),
    ("interval", "INTERVAL", ["1 year 2 mons -3 days 04:05:06.7", "0", "-00:00:00.000001",
                              "178000000 years", "-1 mons 24:00:00", "1 mon -1 day"]),
    ("uuid", "UUID", ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
    ("bytea", "BLOB", ["\\x00ff", "\\x"]),
    ("json", "VARCHAR", ['{"a":  1, "a": 2.50}', "null"]),
    ("int[]", "VARCHAR", ["{1,NULL,3}", "{}"]),
]


def fill(server, duck):
    """A row per value, the other columns NULL; DuckDB reads what PostgreSQL writes as CSV."""
    columns = [f"c{number} {kind[0]}" for number, kind in enumerate(KINDS)]
    table = f"public.{identifier(TABLE[1])}"
    server.psql(f"CREATE TABLE {table} ({', '.join(columns)});" + "".join(
        f"INSERT INTO {table} (c{number}) VALUES ({literal(value)});"
        for number, kind in enumerate(KINDS) for value in kind[2]))
    csv = server.root / "rows.csv"
    server.psql(f"COPY public.{identifier(TABLE[1])} TO '{csv}'"
                " (FORMAT csv, FORCE_QUOTE *, NULL '\\N')")
    names = "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(KINDS))) + "}"
    values = [f"unhex(substr(c{n}, 3))" if kind[1] == "BLOB" else f"CAST(c{n} AS {kind[1]})"
              for n, kind in enumerate(KINDS)]
    for number, kind in enumerate(KINDS):
        if kind[1] == "INTERVAL":  # DuckDB does not read a plus sign
            values[number] = f"CAST(replace(c{number}, '+', '') AS INTERVAL)"
        if kind[1].startswith("DECIMAL"):  # which has no NaN
            values[number] = f"TRY_CAST(c{number} AS {kind[1]})"
        if " BC" in " ".join(kind[2]):
            values[number] = (f"CAST(regexp_replace(c{number}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2')"
                              f" AS {kind[1]})")
    values = [f"{value} AS c{number}" for number, value in enumerate(values)]
    duck.execute("CREATE SCHEMA IF NOT EXISTS public")
    duck.execute(f"CREATE TABLE public.{identifier(TABLE[1])} AS SELECT {', '.join(values)} FROM"
                 f" read_csv('{csv}', columns = {names}, nullstr = '\\N', quote = '\"', escape = '\"',"
                 " header = false, auto_detect = false, allow_quoted_nulls = false, delim = ',')")


class CompareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.file = str(cls.server.root / "test.duckdb")
        with DuckdbFile(cls.file, writable=True) as duck:
            fill(cls.server, duck)

    def differences(self):
        return compare.compare(self.server.url(), self.file)[0]

    def test_equal_values_of_all_kinds_are_equal(self):
        differences, counts = compare.compare(self.server.url(), self.file)
        self.assertEqual([], [str(difference) for difference in differences])
        self.assertEqual({TABLE: sum(len(kind[2]) for kind in KINDS)}, counts)

    def test_every_changed_value_is_found(self):
        table = f"public.{identifier(TABLE[1])}"
        other = {"BOOLEAN": "NOT {c}", "VARCHAR": "{c} || ' '", "UUID": "uuid()", "BLOB": "'x'::BLOB"}
        with DuckdbFile(self.file, writable=True) as duck:
            duck.execute(f"CREATE TABLE kept AS FROM {table}")
            for number, kind in enumerate(KINDS):
                value = other.get(kind[1], "NULL").format(c=f"c{number}")
                duck.execute(f"UPDATE {table} SET c{number} = {value} WHERE rowid ="
                             f" (SELECT max(rowid) FROM {table} WHERE c{number} IS NOT NULL)")
        (found,) = self.differences()
        with DuckdbFile(self.file, writable=True) as duck:
            duck.execute(f"CREATE OR REPLACE TABLE {table} AS FROM kept")
        self.assertIn(f"{len(KINDS)} rows only in PostgreSQL", found.text)
        self.assertIn(f"{len(KINDS)} rows only in DuckDB", found.text)

    def test_a_doubled_row_and_a_lost_table_are_found(self):
        table = f"public.{identifier(TABLE[1])}"
        with DuckdbFile(self.file, writable=True) as duck:
            duck.execute(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
        self.assertIn("1 rows only in DuckDB", self.differences()[0].text)
        with DuckdbFile(self.file, writable=True) as duck:
            duck.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        self.assertEqual([], self.differences())
        lost = compare.compare(self.server.url(), self.file, [("public", "absent")])[0]
        self.assertIn("is not in the DuckDB file", lost[0].text)

    def test_a_file_that_is_written_is_waited_for(self):
        with DuckdbFile(None) as duck:
            self.assertEqual([("a", None)], duck.query("SELECT 'a', NULL"))
        with self.assertRaises(DuckdbError):
            DuckdbFile(self.file + ".absent", wait=0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
