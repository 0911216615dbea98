#!/usr/bin/python3
"""Compares all rows of tables in PostgreSQL with those in a DuckDB file.

    compare.py URL FILE [SCHEMA.TABLE …]     without names: every table of URL

Each side writes every value in one canonical text, each with functions of its own; nothing here
looks at how the daemon converts. A row becomes the MD5 of its texts. First the number of rows and
two sums over these hashes are compared (equal sums of different rows do not happen by chance), and
only where they differ the rows are looked for.
"""

import os
import subprocess
import sys
from collections import Counter, namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from cluster import find_bin  # noqa: E402
from duckdb_file import DuckdbFile, identifier, literal  # noqa: E402
from postgres import PINNED, FIELD, NULL, RECORD  # noqa: E402

SHOWN_ROWS = 5
SHOWN_CHARACTERS = 120
GROUPED = 100

Column = namedtuple("Column", "name type target")

CATALOG = """
WITH RECURSIVE base AS (
  SELECT oid AS type, oid AS base, typbasetype FROM pg_type
  UNION ALL
  SELECT base.type, t.oid, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.typbasetype
)
SELECT n.nspname, c.relname, a.attname, format_type(base.base, NULL)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = ''
JOIN base ON base.type = a.atttypid AND base.typbasetype = 0
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2, a.attnum"""


class Difference(namedtuple("Difference", "table text")):
    """One finding; `text` is for people."""

    def __str__(self):
        return f"{self.table}: {self.text}"


# --- canonical texts ------------------------------------------------------------------------------

def postgres_text(column):
    """SQL that writes a value that is not NULL; format() uses the type's own output function."""
    name = identifier(column.name)
    if column.type in ("real", "double precision"):
        return postgres_float(f"{name}::float8")
    if column.type == "interval" and column.target == "INTERVAL":
        return interval_text(name, "extract({} FROM {})", "bigint")
    return f"format('%s', {name})"


def interval_text(name, part, whole):
    """Months, days and microseconds, which is what both databases store."""

    def number(*terms):
        parts = [f"{part.format(unit, name)} * {factor}" for unit, factor in terms]
        return f"CAST(CAST({' + '.join(parts)} AS {whole}) AS VARCHAR)"

    return " || ' ' || ".join([
        number(("year", 12), ("month", 1)), number(("day", 1)),
        number(("hour", 3600000000), ("minute", 60000000), ("microsecond", 1))])


def postgres_float(value):
    """The bits of a float8 as C's %a writes them."""
    bits = f"encode(float8send({value}), 'hex')"
    number = f"('x' || substr({bits}, 1, 3))::bit(12)"
    exponent = f"(({number}) & B'011111111111')::int"
    mantissa = f"rtrim(substr({bits}, 4), '0')"
    sign = f"CASE WHEN substr({bits}, 1, 1) >= '8' THEN '-' ELSE '' END"
    point = f"CASE WHEN {mantissa} = '' THEN '' ELSE '.' || {mantissa} END"
    lead = f"CASE WHEN {exponent} = 0 THEN '0' ELSE '1' END"
    power = (f"CASE WHEN {exponent} >= 1023 THEN '+' ELSE '' END ||"
             f" CASE WHEN {exponent} = 0 THEN -1022 ELSE {exponent} - 1023 END")
    return (f"CASE WHEN {value} = 'NaN' THEN 'nan' WHEN {value} = 'Infinity' THEN 'inf'"
            f" WHEN {value} = '-Infinity' THEN '-inf'"
            f" WHEN {value} = 0 THEN '0x0p+0'"
            f" ELSE ({sign}) || '0x' || ({lead}) || ({point}) || 'p' || {power} END")


def duckdb_text(column):
    name, target = identifier(column.name), column.target
    if target in ("FLOAT", "DOUBLE") and column.type in ("real", "double precision"):
        # NaN has a sign here and none in PostgreSQL. That of zero does not count: DuckDB stores runs
        # of equal values once, and takes 0 and -0 for equal.
        return (f"CASE WHEN isnan({name}) THEN 'nan' WHEN {name} = 0 THEN '0x0p+0'"
                f" ELSE format('{{:a}}', CAST({name} AS DOUBLE)) END")
    if target == "BOOLEAN":
        return f"CASE WHEN {name} THEN 't' ELSE 'f' END"
    if target == "INTERVAL":
        return interval_text(name, "date_part('{}', {})", "BIGINT")
    if target == "BLOB":
        return f"'\\x' || lower(hex({name}))"
    text = f"CAST({name} AS VARCHAR)"
    if target in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return f"CASE WHEN {text} LIKE '%(BC)%' THEN replace({text}, ' (BC)', '') || ' BC' ELSE {text} END"
    return text


def row_text(parts):
    """One text from (is NULL, text) pairs that no two different rows share."""
    fields = [f"CASE WHEN {null} THEN 'N' ELSE {length}({text}) || ':' || {text} END"
              for null, text, length in parts]
    # Databases have a limit on how deep an expression may be.
    groups = [" || ',' || ".join(fields[first:first + GROUPED]) for first in range(0, len(fields), GROUPED)]
    return " || ';' || ".join(f"({group})" for group in groups)


def postgres_row(columns):
    return row_text([(postgres_null(c), f"({postgres_text(c)})", "octet_length") for c in columns])


def postgres_null(column):
    """SQL of whether the target has NULL. IS NULL is true for a composite of NULLs; num_nulls is not fooled."""
    name = identifier(column.name)
    # docs/types.md: a DECIMAL cannot be NaN.
    value = f"nullif({name}, 'NaN')" if column.type == "numeric" and column.target.startswith("DECIMAL") else name
    return f"num_nulls({value}) = 1"


def duckdb_row(columns):
    return row_text([(f"{identifier(c.name)} IS NULL", f"({duckdb_text(c)})", "strlen")
                     for c in columns])


# --- the two sides --------------------------------------------------------------------------------

class Source:
    """PostgreSQL, through psql."""

    def __init__(self, url):
        self.url = url

    def lines(self, sql):
        """The records of a query, one str each."""
        command = [find_bin() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-F", FIELD, "-R", RECORD,
                   "-P", f"null={NULL}", "-d", self.url, "-f", "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=pinned_environment())
        process.stdin.write(sql.encode())
        process.stdin.close()
        rest = ""
        while block := process.stdout.read(1 << 20):
            *whole, rest = (rest + block.decode("utf-8", "surrogateescape")).split(RECORD)
            yield from whole
        process.stdout.close()
        if process.wait():
            raise RuntimeError("psql failed: " + sql[:500])
        if rest:
            yield rest.rstrip("\n")

    def rows(self, sql):
        return [line.split(FIELD) for line in self.lines(sql)]

    def tables(self):
        """{(schema, table): {column: type}}"""
        found = {}
        for schema, table, column, kind in self.rows(CATALOG):
            found.setdefault((schema, table), {})[column] = kind
        return found


def pinned_environment():
    return {**os.environ, "PGOPTIONS": PINNED, "PGCLIENTENCODING": "UTF8"}


def summed(row, table, number):
    """Count and two sums over 60 bits of each row's hash."""
    parts = ", ".join(f"coalesce(sum({number(part)}), 0)" for part in (1, 17))
    return f"SELECT count(*), {parts} FROM (SELECT md5({row}) AS h FROM {table}) AS hashed"


def compare_table(source, target, name, types):
    """The differences of one table."""
    title = f"{name[0]}.{name[1]}"
    found = target.columns(*name)
    if not found:
        return [Difference(title, "is not in the DuckDB file")]
    missing = [column for column in types if column not in found]
    if missing or len(found) > len(types):
        return [Difference(title, f"has the columns {list(found)}, not {list(types)}")]
    columns = [Column(column, kind, found[column]) for column, kind in types.items()]
    table = ".".join(map(identifier, name))
    rows = postgres_row(columns), duckdb_row(columns)
    left = source.rows(summed(
        rows[0], f"ONLY {table}",
        lambda part: f"('x' || substr(h, {part}, 15))::bit(60)::bigint::numeric"))[0]
    right = target.query(summed(
        rows[1], table, lambda part: f"CAST('0x' || substr(h, {part}, 15) AS BIGINT)::HUGEINT"))[0]
    if list(left) == list(right):
        return []
    text = f"{left[0]} rows in PostgreSQL, {right[0]} in DuckDB"
    return [Difference(title, text + differing_rows(source, target, table, columns, rows))]


def differing_rows(source, target, table, columns, rows):
    left = Counter(source.lines(f"SELECT md5({rows[0]}) FROM ONLY {table}"))
    right = Counter(hashed for hashed, in target.query(f"SELECT md5({rows[1]}) AS h FROM {table}"))
    lines = []
    for side, only in (("PostgreSQL", left - right), ("DuckDB", right - left)):
        lines.append(f"  {sum(only.values())} rows only in {side}")
        hashes = ", ".join(literal(hashed) for hashed in sorted(only)[:SHOWN_ROWS])
        if not hashes:
            continue
        row = rows[0] if side == "PostgreSQL" else rows[1]
        texts = [(f"CASE WHEN {identifier(c.name)} IS NULL THEN 'NULL' ELSE"
                  f" substr({(postgres_text if side == 'PostgreSQL' else duckdb_text)(c)}, 1,"
                  f" {SHOWN_CHARACTERS}) END AS {identifier(c.name)}") for c in columns]
        sql = (f"SELECT {', '.join(texts)} FROM {table} WHERE md5({row}) IN ({hashes})"
               f" ORDER BY ALL LIMIT {SHOWN_ROWS}")
        if side == "PostgreSQL":
            shown = source.rows(sql.replace("ORDER BY ALL", "ORDER BY 1"))
        else:
            shown = target.query(sql)
        lines += [f"    {not_null(columns, values)}" for values in shown]
    return "\n" + "\n".join(lines)


def not_null(columns, values):
    return {c.name: value for c, value in zip(columns, values) if value != "NULL"}


def compare(url, path, tables=None, *, without=(), wait=60):
    """(differences, rows compared per table). TABLES: (schema, name) pairs; None: all of the source but
    those of WITHOUT. A table that is not in the file is a difference."""
    source = Source(url)
    types = source.tables()
    with DuckdbFile(path, wait=wait) as target:
        if tables is None:
            tables = [name for name in types if name not in without]
        differences, counts = [], {}
        for name in tables:
            differences += compare_table(source, target, name, types.get(name, {}))
            counts[name] = int(target.value(
                f"SELECT count(*) FROM {'.'.join(map(identifier, name))}")) if target.columns(*name) else 0
        return differences, counts


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    tables = [tuple(name.split(".", 1)) for name in arguments[2:]] or None
    differences, counts = compare(arguments[0], arguments[1], tables)
    for name, rows in counts.items():
        print(f"{name[0]}.{name[1]}: {rows} rows")
    for difference in differences:
        print(difference)
    print("different" if differences else f"equal: {len(counts)} tables")
    return 1 if differences or not counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
