#!/usr/bin/python3
"""Goal: failures come when and as asked for, and what they interrupt is as it would be."""

import time
import unittest

from case import StandinCase, rule
from faults import KNOWN
from wire import Gone, SqlError


class FaultsTest(StandinCase):
    def tearDown(self):
        self.target.clear_faults()

    def count(self, table):
        return int(self.value(f"SELECT count(*) FROM {table}", self.open()))

    @rule(9)
    def test_errors_by_name(self):
        table = self.table("a int")
        for name, (sqlstate, message, detail) in KNOWN.items():
            self.target.fail(f"INSERT INTO {table}", known=name)
            self.sql("BEGIN")
            error = self.refused(f"INSERT INTO {table} VALUES (1)", sqlstate, 9, message)
            self.assertEqual(detail or "", error.detail)
            self.refused("SELECT 1", "25P02", 58)
            self.sql("ROLLBACK")
        self.target.fail("SELECT", sqlstate="57014", message="Query cancelled.", nth=3, times=2)
        self.sql("SELECT 1; SELECT 1")
        self.refused("SELECT 1", "57014", 9, "Query cancelled.")
        self.refused("SELECT 1", "57014", 9)
        self.sql("SELECT 1")
        self.assertEqual([2], [fault["fired"] for fault in self.target.faults() if fault["pattern"] == "SELECT"])

    @rule(9)
    def test_a_commit_that_fails_ends_the_transaction(self):
        table = self.table("a int")
        self.target.fail("COMMIT", known="serializable")
        self.sql(f"BEGIN; INSERT INTO {table} VALUES (1)")
        self.refused("COMMIT", "XX000", 9, "1023")
        self.assertEqual(b"I", self.session.state)
        self.assertEqual(0, self.count(table))

    @rule(9)
    def test_a_transaction_with_a_statement(self):
        table, other = self.table("a int"), self.table("a int")
        self.target.fail("^COMMIT", known="serializable", behind=f"INTO {table}", times=2)
        for _ in range(2):
            self.sql(f"BEGIN; INSERT INTO {other} VALUES (1); COMMIT")
            self.sql(f"BEGIN; INSERT INTO {table} VALUES (1); INSERT INTO {other} VALUES (1)")
            self.refused("COMMIT", "XX000", 9, "1023")
        self.assertEqual((0, 2), (self.count(table), self.count(other)))
        self.assertEqual(2, self.target.faults()[0]["fired"])

    @rule(9)
    def test_connections_cut(self):
        table = self.table("a int")
        for action, rows in (("kill_before", 0), ("kill_after", 1)):
            self.target.fail("COMMIT", action)
            session = self.open()
            session.query(f"BEGIN; INSERT INTO {table} VALUES (1)")
            with self.assertRaises(Gone):
                session.query("COMMIT")
            self.assertEqual(rows, self.count(table), action)

    @rule(9)
    def test_a_commit_that_comes_late(self):
        table, session = self.table("a int"), self.open()
        self.target.fail("COMMIT", "delay", seconds=0.7)
        session.query(f"BEGIN; INSERT INTO {table} VALUES (1)")
        session.send_query("COMMIT")
        session.stream.close()
        self.assertEqual(0, self.count(table))
        deadline = time.monotonic() + 10
        while self.count(table) == 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    @rule(9)
    def test_restart(self):
        table, session = self.table("a int"), self.open()
        session.query(f"BEGIN; INSERT INTO {table} VALUES (1)")
        self.target.restart(0.7)
        with self.assertRaises((Gone, SqlError)):
            session.query("COMMIT")
        with self.assertRaises((Gone, OSError)):
            self.target.connect()
        time.sleep(0.8)
        self.session = self.open()
        self.assertEqual(0, self.count(table))
        self.target.fail("SELECT 7", "restart", seconds=0.2)
        with self.assertRaises(Gone):
            self.sql("SELECT 7")
        time.sleep(0.3)
        self.open()

    def test_sessions_are_ended(self):
        session = self.open()
        self.assertLessEqual(2, self.target.end_sessions())
        with self.assertRaises((Gone, SqlError)):
            session.query("SELECT 1")

    def test_wrong_requests_are_refused(self):
        for fault in ({"action": "explode"}, {"known": "nothing"}):
            with self.assertRaises(OSError):
                self.target.fail("x", **fault)

    def test_the_stand_in_is_started_again(self):
        table = self.table("a varchar(9)")
        self.sql(f"INSERT INTO {table} VALUES ('x ')")
        self.target.stop()
        self.target.start()
        self.session = self.open()
        self.assertEqual([["x "]], self.sql(f"SELECT * FROM {table} WHERE a = 'x'"))


if __name__ == "__main__":
    unittest.main()
