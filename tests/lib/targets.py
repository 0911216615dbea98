"""Where the daemon of a test loads: a DuckDB file, or, with RE_DMS_TEST_TARGET=redshift, a stand-in for Redshift that
reads from an S3 server in memory.

A target has `options` for the daemon's configuration, `environment` for the daemon, `open(writable)` for who reads or
writes it beside the daemon (query, value, columns, execute), and `compare(url, tables, without)`: the differences from
a source, and rows by table.
"""

import os
import re
import shutil
from collections import Counter
from contextlib import contextmanager

import compare
from duckdb_file import DuckdbFile, identifier
from redshift import Standin
from s3_fake import S3Fake

SHOWN_ROWS = 5
VARCHAR_BYTES, VARBYTE_BYTES = 65535, 1024000
CUT_TYPES = ("text", "character varying", "character", "citext")
FIRST = {"date": "0001-01-01", "timestamp without time zone": "0001-01-01 00:00:00",
         "timestamp with time zone": "0001-01-01 00:00:00+00"}
LAST = {"date": "9999-12-31", "timestamp without time zone": "9999-12-31 23:59:59.999999",
        "timestamp with time zone": "9999-12-31 23:59:59.999999+00"}


class DuckdbTarget:
    """FILE may not be there yet."""

    environment = {}

    def __init__(self, folder):
        self.file = folder / "warehouse.duckdb"
        self.options = {"stage.url": f"file://{folder / 'stage'}", "warehouse.url": f"duckdb://{self.file}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def keep(self, folder):
        """What FOLDER needs for a look into a failure."""

    def open(self, *, writable=False):
        """Nobody else can open the file meanwhile."""
        return DuckdbFile(str(self.file), writable=writable)

    def compare(self, url, tables=None, without=()):
        return compare.compare(url, str(self.file), tables, without=without)


class RedshiftTarget:
    """`standin` and `s3` are there within `with`, and so are `environment` and `options`. S3: another server than the one
    in memory, with a bucket "stage" (s3_server.S3Server)."""

    def __init__(self, *options, tls=False, s3=None):
        self.s3 = s3 or S3Fake(buckets=("stage",))
        self.standin = Standin(None, self.s3, *options, tls=tls)
        self.environment, self.options = {}, {}

    def __enter__(self):
        self.s3.__enter__()
        self.standin.__enter__()
        keys = self.s3.credentials
        self.environment = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
        self.options = {
            "stage.url": "s3://stage/re_dms", "stage.endpoint": self.s3.endpoint, "stage.path_style": True,
            "stage.region": keys.region, "warehouse.url": self.standin.url,
            "warehouse.iam_role": "arn:aws:iam::123456789012:role/redshift-copy"}
        if self.standin._tls:
            # As the certificate has it.
            self.options["warehouse.url"] = self.standin.url.replace("@127.0.0.1:", "@localhost:")
            self.options["warehouse.url"] += f"?sslmode=verify-full&sslrootcert={self.standin.certificate}"
        return self

    def __exit__(self, *_):
        self.standin.__exit__()
        self.s3.__exit__()

    def keep(self, folder):
        shutil.copy(self.standin.log, folder / "statements.log")

    @contextmanager
    def open(self, *, writable=False):
        del writable
        yield self

    def query(self, sql):
        return [list(row) for row in self.standin.sql(sql)]

    def value(self, sql):
        return self.query(sql)[0][0]

    def execute(self, sql):
        self.standin.sql(sql)

    def columns(self, schema, table):
        return [name for name, in self.standin.sql(
            f"SELECT column_name FROM svv_columns WHERE table_schema = {text(folded(schema))}"
            f" AND table_name = {text(folded(table))} ORDER BY ordinal_position")]

    def _as_text(self, schema, table):
        """The columns that are VARCHAR here."""
        return {name for name, in self.standin.sql(
            f"SELECT column_name FROM svv_columns WHERE table_schema = {text(folded(schema))}"
            f" AND table_name = {text(folded(table))} AND data_type = 'character varying'")}

    def compare(self, url, tables=None, without=()):
        source = compare.Source(url)
        types = source.tables()
        # The most that Redshift has: 17 digits.
        self.standin.sql("SET extra_float_digits TO 2")
        differences, counts = [], {}
        for name in tables if tables is not None else [name for name in types if name not in without]:
            counts[name], said = self._compare_table(source, name, types.get(name, {}))
            if said:
                differences.append(compare.Difference(".".join(name), said))
        return differences, counts

    def _compare_table(self, source, name, types):
        found = self.columns(*name)
        if sorted(found) != sorted(map(folded, types)):
            return 0, f"has the columns {found}, not {list(types)}"
        table = ".".join(map(identifier, name))
        names = ", ".join(map(identifier, types))
        # In hexadecimal digits: psql leaves out some characters, such as U+10FFFF.
        texts = ", ".join(f"encode(convert_to(format('%s', {identifier(column)}), 'UTF8'), 'hex')" for column in types)
        # num_nulls is not fooled by a composite of NULLs, as IS NULL is.
        nulls = " || ".join(f"num_nulls({identifier(column)})::text" for column in types) or "''"
        kept = self._as_text(*name)
        left = Counter()
        for row in source.rows(f"SELECT {nulls}, {texts} FROM ONLY {table}"):
            values = (None if null == "1" else held(kind, bytes.fromhex(value).decode(), folded(column) in kept)
                      for null, (column, kind), value in zip(row[0], types.items(), row[1:]))
            left[tuple(None if value is None else canonical(kind, value)
                       for kind, value in zip(types.values(), values))] += 1
        right = Counter(tuple(None if value is None else canonical(kind, value)
                              for kind, value in zip(types.values(), row))
                        for row in self.standin.sql(f"SELECT {names} FROM {table}"))
        if left == right:
            return sum(left.values()), ""
        lines = [f"{sum(left.values())} rows in PostgreSQL, {sum(right.values())} in Redshift"]
        for side, only in (("PostgreSQL", left - right), ("Redshift", right - left)):
            lines.append(f"  {sum(only.values())} rows only in {side}")
            lines += [f"    {dict(zip(types, row))}"[:400] for row in list(only)[:SHOWN_ROWS]]
        return sum(left.values()), "\n".join(lines)


def text(value):
    """A literal of Redshift, where backslashes are escapes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def folded(name):
    """A name as Redshift keeps it."""
    return re.sub("[A-Z]+", lambda letters: letters.group(0).lower(), name)


def held(kind, text, as_text):
    """What Redshift holds of the source's value where bad_values is "usual" (docs/types.md); None is NULL."""
    if as_text:
        data = text.encode()
        if len(data) <= VARCHAR_BYTES:
            return text
        return data[:VARCHAR_BYTES].decode(errors="ignore") if kind in CUT_TYPES else None
    if kind in ("real", "double precision", "numeric"):
        return None if text[-1] in "Ny" else text
    if kind == "date" or kind.startswith("timestamp"):
        if text == "-infinity" or text.endswith(" BC"):
            return FIRST[kind]
        return LAST[kind] if text == "infinity" or text.index("-") > 4 else text
    if kind == "time with time zone":
        zone = max(text.rfind("+"), text.rfind("-")) + 1
        return None if len(text) - zone > 5 or text[zone : zone + 2] > "14" else text
    return None if kind == "bytea" and not 2 < len(text) <= 2 + 2 * VARBYTE_BYTES else text


def canonical(kind, value):
    """One text for all that are the same value of a source's type."""
    if kind in ("real", "double precision"):
        # Without the sign of zero.
        return repr(float(value) + 0.0)
    if kind == "bytea":
        return value.removeprefix("\\x").lower()
    return value


def is_redshift():
    return os.environ.get("RE_DMS_TEST_TARGET") == "redshift"


def open_target(folder):
    return RedshiftTarget() if is_redshift() else DuckdbTarget(folder)
