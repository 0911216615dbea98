#!/usr/bin/python3
"""Goal: transactions lock, conflict and fail as Redshift's do, and its catalog shows what its does."""

import threading
import time
import unittest

from case import StandinCase, rule
from wire import SqlError


class Waiting:
    """A statement that runs in a thread of its own."""

    def __init__(self, session, sql):
        self.error = None
        self._thread = threading.Thread(target=self._run, args=(session, sql))
        self._thread.start()

    def _run(self, session, sql):
        try:
            session.query(sql)
        except SqlError as error:
            self.error = error

    def waits(self):
        self._thread.join(0.3)
        return self._thread.is_alive()

    def end(self):
        self._thread.join(30)
        return self.error


class TransactionsTest(StandinCase):
    users = {"other": "other-secret"}
    isolation, conflict = "Serializable", "1023"

    @rule(58)
    def test_after_an_error(self):
        table = self.table("a int")
        for wrong in ("SELECT nope", "DELETE FROM absent a", "COPY absent FROM STDIN", f"ALTER TABLE {table} DROP"
                                                                                       f" COLUMN a"):
            self.sql("BEGIN")
            self.sql(f"INSERT INTO {table} VALUES (1)")
            with self.assertRaises(SqlError):
                self.sql(wrong)
            self.assertEqual(b"E", self.session.state)
            self.refused("SELECT 1", "25P02", 58)
            self.refused(self.copy_text(table, "1\n"), "25P02", 58)
            self.assertEqual("ROLLBACK", self.session.query("COMMIT")[0].tag)
            self.assertEqual("0", self.value(f"SELECT count(*) FROM {table}"))

    def test_several_statements_in_one_message(self):
        table = self.table("a int")
        with self.assertRaises(SqlError):
            self.sql(f"INSERT INTO {table} VALUES (1); SELECT nope; INSERT INTO {table} VALUES (2)")
        self.assertEqual([["1"]], self.sql(f"SELECT a FROM {table}"))
        self.sql(f"BEGIN; DELETE FROM {table}; COMMIT; ")
        self.assertEqual([], self.sql(f"SELECT a FROM {table}"))
        self.assertEqual("BEGIN", self.session.query("START TRANSACTION ISOLATION LEVEL READ COMMITTED")[0].tag)
        self.sql("END TRANSACTION")

    def test_grammar_of_commands(self):
        for sql, sqlstate in (("BEGIN NICELY", "42601"), ("COMMIT PREPARED 'x'", "42601"),
                              ("SET SESSION AUTHORIZATION other", "0A000"),
                              ("SET search_path", "42601"), ("SET statement_timeout TO '5s'", "22023"), ("RESET jit",
                                                                                                         "42704"),
                              ("SELECT TOP 3 1", "0A000"), ("SELECT 1 INTO x", "0A000")):
            self.refused(sql, sqlstate)
        self.sql("SET datestyle TO 'ISO'; SHOW datestyle; SET query_group TO 'x'; RESET query_group; SET TIME ZONE"
                 " 'UTC'")

    @rule(59)
    def test_lock_keeps_readers_out(self):
        table, other = self.table("a int"), self.open()
        self.sql(f"BEGIN; LOCK {table}")
        self.sql(f"INSERT INTO {table} VALUES (1)")
        reader = Waiting(other, f"BEGIN; SELECT * FROM {table}")
        self.assertTrue(reader.waits())
        self.sql("COMMIT")
        self.assertIsNone(reader.end())
        other.query("COMMIT")
        self.refused(f"LOCK {table} IN SHARE MODE", "42601", 59)
        self.sql(f"BEGIN; LOCK TABLE {table}, {self.table('a int')}; COMMIT")

    @rule(59)
    def test_lock_first_sees_what_was_committed(self):
        table, other = self.table("a int"), self.open()
        self.sql(f"INSERT INTO {table} VALUES (1)")
        self.sql(f"BEGIN; LOCK {table}; UPDATE {table} SET a = 2")
        waiting = Waiting(other, f"BEGIN; LOCK {table}; UPDATE {table} SET a = a + 1; COMMIT")
        self.assertTrue(waiting.waits())
        self.sql("COMMIT")
        self.assertIsNone(waiting.end())
        self.assertEqual("3", self.value(f"SELECT a FROM {table}"))

    @rule(59)
    def test_conflict_of_two_writers(self):
        table, other = self.table("a int"), self.open()
        self.sql(f"INSERT INTO {table} VALUES (1)")
        self.sql(f"BEGIN; UPDATE {table} SET a = 2")
        waiting = Waiting(other, f"BEGIN; UPDATE {table} SET a = a + 1; COMMIT")
        self.assertTrue(waiting.waits())
        self.sql("COMMIT")
        error = waiting.end()
        self.assertEqual(("XX000", self.conflict), (error.sqlstate, error.message))
        # A lock that comes after the snapshot is too late.
        other.query("ROLLBACK")
        other.query(f"BEGIN; SELECT * FROM {table}")
        self.sql(f"UPDATE {table} SET a = 9")
        with self.assertRaises(SqlError) as caught:
            other.query(f"LOCK {table}; UPDATE {table} SET a = 10; COMMIT")
        self.assertEqual(self.conflict, caught.exception.message)

    def write_skew(self):
        """Two transactions that read one table and write the other each: the error of the second, or None."""
        first, second, other = self.table("a int"), self.table("a int"), self.open()
        self.sql(f"BEGIN; SELECT * FROM {first}")
        other.query(f"BEGIN; SELECT * FROM {second}")
        self.sql(f"INSERT INTO {second} VALUES (1)")
        other.query(f"INSERT INTO {first} VALUES (1)")
        self.sql("COMMIT")
        try:
            other.query("COMMIT")
        except SqlError as error:
            return error
        return None

    @rule(59)
    def test_cycle(self):
        error = self.write_skew()
        self.assertEqual(("XX000", "1023"), (error.sqlstate, error.message))
        self.assertIn("Serializable isolation violation on table", error.detail)

    @rule(59)
    def test_a_table_younger_than_the_snapshot(self):
        old, other = self.table("a int"), self.open()
        other.query(f"BEGIN; SELECT * FROM {old}")
        young = self.table("a int")
        self.refused(f"SELECT * FROM {young}", "XX000", None, "Relation does not exist", session=other)
        other.query("ROLLBACK")
        other.query(f"BEGIN; SELECT * FROM {old}")
        own = f"own_{young}"
        other.query(f"CREATE TABLE {own} (a int); INSERT INTO {own} VALUES (1); SELECT * FROM {own}; COMMIT")
        other.query("BEGIN")
        younger = self.table("a int")
        other.query(f"SELECT * FROM {younger}; COMMIT")

    @rule(59)
    def test_copy_into_a_table_younger_than_the_snapshot(self):
        old, other = self.table("a int"), self.open()
        other.query(f"BEGIN; SELECT * FROM {old}")
        copy = self.copy_text(self.table("a int"), "1\n")
        self.refused(copy, "XX000", None, "Relation does not exist", session=other)

    @rule(59)
    def test_deadlock_on_one_table(self):
        table, other = self.table("a int"), self.open()
        self.sql(f"BEGIN; INSERT INTO {table} VALUES (1)")
        other.query(f"BEGIN; INSERT INTO {table} VALUES (2)")
        waiting = Waiting(other, f"DELETE FROM {table} WHERE a = 2")
        self.assertTrue(waiting.waits())
        mine = Waiting(self.session, f"DELETE FROM {table} WHERE a = 1")
        errors = [error for error in (waiting.end(), mine.end()) if error]
        self.assertEqual("40P01", errors[0].sqlstate)

    @rule(60)
    def test_catalog(self):
        self.sql("CREATE SCHEMA IF NOT EXISTS apart")
        self.sql("CREATE TABLE IF NOT EXISTS apart.hidden (a int, b varchar(7))")
        table = self.table("a numeric(9,2) NOT NULL, b varchar(7), c timestamptz, d varbyte(5)", "SORTKEY(a)")
        self.assertEqual([], self.sql("SELECT * FROM pg_table_def WHERE tablename = 'hidden'"))
        self.sql("SET search_path TO apart")
        self.assertEqual(2, len(self.sql("SELECT * FROM pg_catalog.pg_table_def WHERE tablename = 'hidden'")))
        self.sql("CREATE TABLE IF NOT EXISTS unqualified (a int)")
        self.assertEqual([["apart"]], self.sql("SELECT table_schema FROM svv_tables WHERE table_name = 'unqualified'"))
        self.sql("RESET search_path")
        wanted = [["a", "numeric", None, "9", "2", "NO"], ["b", "character varying", "7", None, None, "YES"],
                  ["c", "timestamp with time zone", None, None, None, "YES"], ["d", "binary varying", "5", None, None,
                                                                               "YES"]]
        for view in ("svv_columns", "information_schema.columns", "pg_catalog.svv_columns"):
            self.assertEqual(wanted, self.sql(
                "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable"
                f" FROM {view} WHERE table_name = '{table}' ORDER BY ordinal_position"))
        self.assertEqual("4", self.value("SELECT count(*) FROM stv_slices"))
        self.assertEqual([[self.isolation]], self.sql(
            "SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = 'dev'"))
        self.refused("SELECT * FROM svv_table_info", "42501", 60)
        self.assertIn([str(self.session.pid)], self.sql("SELECT process FROM stv_sessions"))
        self.sql(f"GRANT SELECT ON {table} TO PUBLIC")
        rights = f"SELECT DISTINCT identity_name FROM svv_relation_privileges WHERE relation_name = '{table}'"
        self.assertEqual([["loader"]], self.sql(rights), "others' rights are for superusers")
        self.assertIn("=r/loader", self.value(
            f"SELECT array_to_string(c.relacl, ',') FROM pg_class c WHERE c.relname = '{table}'"))


class SnapshotTest(TransactionsTest):
    """The same with the other isolation level."""

    switched = True
    options = ("--isolation", "snapshot", "--table-info")
    isolation, conflict = "Snapshot Isolation", "could not complete because of conflict with concurrent transaction"

    @rule(59)
    def test_cycle(self):
        self.assertIsNone(self.write_skew())

    @rule(60)
    def test_catalog(self):
        self.assertEqual([["Snapshot Isolation"]], self.sql("SELECT isolation_level FROM stv_db_isolation_level"))
        table, empty = self.table("a int", "DISTKEY(a)"), self.table("a int")
        self.sql(f"INSERT INTO {table} VALUES (1), (2)")
        self.assertEqual([[table, "KEY(a)", "2"]], self.sql(
            f"SELECT \"table\", diststyle, tbl_rows FROM svv_table_info WHERE \"table\" IN ('{table}', '{empty}')"))


class ServerlessTest(StandinCase):
    switched = True
    options = ("--mode", "serverless", "--queue-seconds", "0.3")

    @rule(60)
    def test_views_that_are_hidden(self):
        for view in ("stv_slices", "stl_load_errors", "stv_sessions", "pg_catalog.stl_load_commits"):
            self.refused(f"SELECT * FROM {view}", "42501", 60)
        self.sql("SELECT * FROM sys_load_error_detail")
        self.assertIn([str(self.session.pid)], self.sql("SELECT session_id FROM sys_session_history"))

    @rule(62)
    def test_the_queue_counts(self):
        self.sql("SET statement_timeout TO 200")
        begin = time.monotonic()
        self.refused("SELECT 1", "57014", 62)
        self.assertLess(0.15, time.monotonic() - begin)
        self.sql("SET statement_timeout TO 5000")
        self.assertEqual("5000", self.value("SHOW statement_timeout"))
        self.assertEqual("1", self.value("SELECT 1"))
        table = self.table("a int")
        other = self.open()
        self.sql(f"BEGIN; LOCK {table}")
        other.query("SET statement_timeout TO 500")
        self.refused(f"SELECT * FROM {table}", "57014", session=other)


if __name__ == "__main__":
    unittest.main()
