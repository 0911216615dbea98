#!/usr/bin/python3
"""Goal: the stand-in greets, authenticates and refuses clients as Redshift does."""

import re
import socket
import struct
import subprocess
import time
import unittest

from case import OPTIONS, StandinCase, rule, standin_only
from cluster import find_bin
import wire
from wire import Gone, SqlError
from wire_client import tls_context

STATEMENT_BYTES = 16 << 20


class ConnectionTest(StandinCase):
    options = ("--max-connections", "8", "--idle-transaction-seconds", "1", "--idle-session-seconds", "3")

    @rule(1)
    def test_startup_parameters(self):
        for name, value, sqlstate in (("standard_conforming_strings", "on", "42704"), ("IntervalStyle", "iso", "42704"),
                                      ("extra_float_digits", "3", "22023"), ("jit", "off", "42704")):
            with self.assertRaises(SqlError) as caught:
                self.open(parameters={name: value})
            self.assertEqual((sqlstate, "FATAL"), (caught.exception.sqlstate, caught.exception.fields["S"]))
        self.open(parameters={"client_encoding": "UTF8", "application_name": "x", "extra_float_digits": "2",
                              "DateStyle": "ISO"}).query("SELECT 1")
        with self.assertRaises(SqlError) as caught:
            self.open(database="other")
        self.assertEqual("3D000", caught.exception.sqlstate)
        self.refused("SET standard_conforming_strings TO on", "42704", 1)
        self.refused("SET extra_float_digits TO 3", "22023", 1)
        self.refused("SHOW jit", "42704", 1)

    @rule(2)
    def test_what_the_server_says_of_itself(self):
        said = self.session.parameters
        self.assertEqual(("8.0.2", "UNICODE"), (said["server_version"], said["client_encoding"]))
        self.assertNotIn("standard_conforming_strings", said)
        self.assertRegex(self.value("SELECT version()"), r"^PostgreSQL 8\.0\.2 on .*, Redshift 1\.0\.\d+$")
        self.assertEqual("8.0.2", self.value("SHOW server_version"))

    @rule(3)
    def test_authentication(self):
        with self.assertRaises(SqlError) as caught:
            self.target.connect("nobody")
        self.assertEqual("28000", caught.exception.sqlstate)
        self.target.users["loader"] = "wrong"
        try:
            with self.assertRaises(SqlError) as caught:
                self.target.connect()
        finally:
            self.target.users["loader"] = self.target.password
        self.assertEqual("28000", caught.exception.sqlstate)
        with socket.create_connection(("127.0.0.1", self.target.port)) as sock:
            sock.sendall(wire.untyped(struct.pack("!I", wire.GSSENC_REQUEST)))
            self.assertEqual(b"", sock.recv(1))
        with socket.create_connection(("127.0.0.1", self.target.port)) as sock:
            sock.sendall(wire.untyped(struct.pack("!I", wire.SSL_REQUEST)))
            self.assertEqual(b"N", sock.recv(1))

    @rule(4)
    def test_copy_over_the_connection(self):
        table = self.table("a int")
        self.refused(f"COPY {table} FROM STDIN", "0A000", 4)
        self.refused(f"COPY {table} TO STDOUT", "42601", 4)

    @rule(5)
    def test_commands_that_are_absent(self):
        for command in ("LISTEN x", "UNLISTEN *", "NOTIFY x", "DISCARD ALL", "DEALLOCATE ALL", "SAVEPOINT s",
                        "RELEASE SAVEPOINT s"):
            self.refused(command, "0A000", 5, "not supported")
        self.sql("BEGIN")
        self.refused("ROLLBACK TO SAVEPOINT s", "0A000", 5)

    def parse(self, sql, types=()):
        """The first answer to Parse, and the error's SQLSTATE."""
        self.session.send(b"P", wire.cstring("") + wire.cstring(sql) + struct.pack("!H", len(types) & 0xFFFF)
                          + b"".join(struct.pack("!I", one) for one in types))
        self.session.send(b"S")
        kind, content = self.session.stream.receive()
        answer = kind, wire.error_fields(content).get("C") if kind == b"E" else None
        while kind != b"Z":
            kind, content = self.session.stream.receive()
        return answer

    @rule(6)
    def test_extended_protocol(self):
        self.assertEqual((b"E", "42601"), self.parse("SELECT 1; SELECT 2"))
        self.assertEqual((b"E", "42P02"), self.parse("SELECT $40000"))
        self.assertEqual((b"E", "42P02"), self.parse("SELECT 1", [23] * 40000))
        self.assertEqual((b"1", None), self.parse("SELECT $1::int"))
        self.assertEqual((b"E", "0A000"), self.parse("SAVEPOINT s"))

    @rule(6)
    def test_extended_protocol_runs_statements(self):
        table = self.table("a int, b varchar(9)")
        for sql, values, rows, tag in (
                (f"INSERT INTO {table} VALUES ($1, $2)", [b"1", b"x "], [], "INSERT 0 1"),
                (f"SELECT a, b FROM {table} WHERE b = $1", [b"x"], [[b"1", b"x "]], "SELECT 1"),
                (self.copy_text(table, "2,y\n"), [], [], "COPY"),
                (f"UPDATE {table} SET a = 3 WHERE b = 'y'", [], [], "UPDATE 1"),
                (f"CREATE TABLE {table}b (a super)", [], [], "CREATE TABLE"),
                (f"SELECT a FROM {table} WHERE a > $1", [b"1"], [[b"3"]], "SELECT 1")):
            self.session.send(b"P", wire.cstring("") + wire.cstring(sql) + struct.pack("!H", 0))
            self.session.send(b"B", b"\0\0" + struct.pack("!HH", 0, len(values)) + b"".join(
                struct.pack("!i", len(value)) + value for value in values) + struct.pack("!H", 0))
            self.session.send(b"D", b"P\0")
            self.session.send(b"E", b"\0" + struct.pack("!I", 0))
            self.session.send(b"S")
            got, kind, said = [], b"", None
            while kind != b"Z":
                kind, content = self.session.stream.receive()
                if kind == b"D":
                    got.append(wire.read_data_row(content))
                elif kind == b"C":
                    said = wire.read_cstring(content)[0]
                self.assertNotEqual(b"E", kind, content)
            self.assertEqual((rows, tag), (got, said), sql)

    @standin_only("it is told to let few in")
    @rule(7)
    def test_sizes(self):
        self.refused("SELECT '" + "x" * STATEMENT_BYTES + "'", "54000", 7)
        self.assertEqual("1", self.value("SELECT 1 " + " " * 1000000))
        others = [self.open() for _ in range(7)]
        with self.assertRaises(SqlError) as caught:
            self.open()
        self.assertEqual("53300", caught.exception.sqlstate)
        self.assertEqual(7, len(others))

    @rule(8)
    def test_backslashes(self):
        self.assertEqual("a\nb'c\\d", self.value(r"SELECT 'a\nb\'c\\d'"))
        self.assertEqual("'", self.value("SELECT ''''"))
        self.refused(r"SELECT E'a\nb'", "42704", 8)
        # COPY's options are read as they are: one backslash, one N.
        table = self.table("a varchar(9)")
        self.sql(f"COPY {table} FROM 's3://bucket/{self.put(chr(92) + 'N' + chr(10))}'"
                 rf" {OPTIONS.replace('@null@', chr(92) + 'N')}")
        self.assertEqual([[None]], self.sql(f"SELECT a FROM {table}"))

    @standin_only("it is told to wait for seconds, not hours")
    @rule(11)
    def test_idle_transactions_and_sessions_are_ended(self):
        idle = self.open()
        idle.query("BEGIN")
        begin = time.monotonic()
        kind, content = idle.stream.receive()
        self.assertEqual((b"E", "57P05"), (kind, wire.error_fields(content)["C"]))
        self.assertLess(0.5, time.monotonic() - begin)
        waiting = self.open()
        kind, content = waiting.stream.receive()
        self.assertIn("idle session", wire.error_fields(content)["M"])

    @rule(11)
    def test_expired_credentials(self):
        self.target.expire_logins(1)
        with self.assertRaises(SqlError) as caught:
            self.open()
        self.assertEqual("28000", caught.exception.sqlstate)
        self.open()

    def test_credentials_are_not_logged(self):
        table = self.table("a int")
        with self.assertRaises(SqlError):
            self.sql(f"COPY {table} FROM 's3://bucket/none' ACCESS_KEY_ID 'AKIAKEY' SECRET_ACCESS_KEY 'geheim' CSV")
        text = self.target.log.read_text(encoding="utf-8")
        self.assertNotIn("geheim", text)
        self.assertTrue(re.search(r"SECRET_ACCESS_KEY '\*\*\*'", text))

    def test_a_backend_that_is_terminated_ends_the_session(self):
        victim = self.open()
        self.sql(f"SELECT pg_terminate_backend({victim.pid})")
        with self.assertRaises((SqlError, Gone)):
            victim.query("SELECT 1")
            victim.query("SELECT 1")

    def test_a_query_is_cancelled(self):
        table = self.table("a int")
        self.sql(f"BEGIN; LOCK {table}")
        other = self.open()
        other.send_query(f"SELECT * FROM {table}")
        time.sleep(0.3)
        other.cancel()
        with self.assertRaises(SqlError) as caught:
            other.results()
        self.assertEqual("57014", caught.exception.sqlstate)


class OtherAuthenticationTest(StandinCase):
    switched = True
    tls = True

    @rule(3)
    def test_tls(self):
        session = self.open(tls=tls_context(self.target.certificate))
        self.assertEqual([["1"]], session.rows("SELECT 1"))
        self.assertEqual([["1"]], self.open().rows("SELECT 1"))


    def test_libpq(self):
        for more in (f"host=localhost hostaddr=127.0.0.1 sslmode=verify-full sslrootcert={self.target.certificate}",
                     "host=127.0.0.1 sslmode=disable", "host=127.0.0.1 sslmode=require gssencmode=disable"):
            text = f"port={self.target.port} dbname=dev user=loader password={self.target.password} {more}"
            done = subprocess.run([find_bin() / "psql", text, "-XAtc", r"SELECT 'a\'b', count(*) FROM stv_slices"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(("a'b|4\n", ""), (done.stdout, done.stderr))
        wrong = f"port={self.target.port} dbname=dev user=loader password=x host=127.0.0.1"
        done = subprocess.run([find_bin() / "psql", wrong, "-XAtc", "SELECT 1"], capture_output=True, text=True,
                              check=False)
        self.assertIn('password authentication failed for user "loader"', done.stderr)


class Sha256Test(StandinCase):
    switched = True
    options = ("--auth", "sha256")

    def setUp(self):
        pass

    @rule(3)
    def test_authentication_that_libpq_does_not_know(self):
        with self.assertRaises(SqlError) as caught:
            self.target.connect()
        self.assertIn("authentication method 13 not supported", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
