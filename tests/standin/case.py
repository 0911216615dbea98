"""What the tests of the stand-in share: one stand-in and one S3 server for all tests of a file.

The same tests run against a real cluster (on_a_cluster.py), which then stands in the place of both.
"""

import gzip
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from redshift import Standin  # noqa: E402
from s3_fake import S3Fake  # noqa: E402
from wire import SqlError  # noqa: E402

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/redshift-copy'"
OPTIONS = f"{ROLE} FORMAT AS CSV NULL AS '@null@' TIMEFORMAT 'auto'"


def rule(*numbers):
    """Marks a test as one of these rules'."""
    def mark(test):
        test.rules = numbers
        return test
    return mark


def standin_only(why):
    """Marks a test that no cluster can be put to."""
    def mark(test):
        test.standin_only = why
        return test
    return mark


class StandinCase(unittest.TestCase):
    """`sql` runs in a session of the test's own; `refused` checks SQLSTATE and the rule that the log names."""

    options, users, tls = (), {}, False
    # What a stand-in does only if it is told so: no cluster can be asked.
    switched = False
    # on_a_cluster.Cluster, for both servers.
    cluster = None

    @classmethod
    def setUpClass(cls):
        if cls.cluster:
            cls.s3 = cls.target = cls.cluster
            cls.names = cls.cluster.names
            return
        cls.s3 = cls.enterClassContext(S3Fake(buckets=("bucket", "other")))
        cls.target = cls.enterClassContext(Standin(None, cls.s3, *cls.options, users=cls.users, tls=cls.tls))
        cls.names = iter(range(1, 1000))

    def setUp(self):
        why = getattr(getattr(self, self._testMethodName), "standin_only", "")
        if self.cluster and why:
            self.skipTest(why)
        self.session = self.open()

    def open(self, **more):
        session = self.target.connect(**more)
        self.addCleanup(session.close)
        return session

    def sql(self, sql, session=None):
        return (session or self.session).rows(sql)

    def value(self, sql, session=None):
        return self.sql(sql, session)[0][0]

    def refused(self, sql, sqlstate, number=None, words="", session=None):
        """SQL fails with SQLSTATE, by rule NUMBER unless None, with WORDS in its message."""
        session = session or self.session
        if self.cluster:
            return self.cluster.refused(self, session, sql, sqlstate, number, words)
        with self.assertRaises(SqlError, msg=sql) as caught:
            session.query(sql)
        error = caught.exception
        self.assertEqual(sqlstate, error.sqlstate, f"{sql}: {error.message}")
        self.assertIn(words, error.message, sql)
        if number is not None:
            logged = [entry for entry in self.target.statements() if entry["session"] == session.pid][-1]
            self.assertEqual(number, logged["rule"], f"{sql}: {error.message}")
        return error

    def table(self, columns, more=""):
        """A new table: its name."""
        name = f"t{next(self.names)}"
        self.sql(f"CREATE TABLE {name} ({columns}) {more}")
        return name

    def put(self, data, key=None):
        """An object in S3: its key."""
        key = key or f"file{next(self.names)}/part.csv"
        self.s3.put("bucket", key, data.encode() if isinstance(data, str) else data)
        return key

    def manifest(self, *entries):
        """A manifest in S3 of (key, mandatory): its URL."""
        listed = [{"url": f"s3://bucket/{key}", "mandatory": mandatory} for key, mandatory in entries]
        return "s3://bucket/" + self.put(json.dumps({"entries": listed}), f"manifest{next(self.names)}")

    def copy_text(self, table, data, options=OPTIONS, session=None):
        """The text of a COPY of DATA."""
        return f"COPY {table} FROM 's3://bucket/{self.put(data)}' {options}"

    def load(self, columns, data, more=""):
        """The rows of a new table after a COPY of DATA, in their order."""
        table = self.table(columns)
        self.sql(self.copy_text(table, data, f"{OPTIONS} {more}"))
        return self.sql(f"SELECT * FROM {table} ORDER BY 1")

    def bad(self, columns, data, code, number=None, more=""):
        """A COPY of DATA fails with load error CODE; returns the error's row: column, line, reason."""
        table = self.table(columns)
        self.refused(self.copy_text(table, data, f"{OPTIONS} {more}"), "XX000", number,
                     f"Load into table '{table}' failed.  Check '")
        self.assertEqual("0", self.value(f"SELECT count(*) FROM {table}"))
        found = self.sql("SELECT err_code, trim(colname), line_number, trim(err_reason), trim(raw_field_value)"
                         " FROM stl_load_errors ORDER BY query DESC LIMIT 1")[0]
        self.assertEqual(str(code), found[0], found)
        return found[1:]


def packed(text):
    return gzip.compress(text.encode())
