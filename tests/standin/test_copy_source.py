#!/usr/bin/python3
"""Goal: COPY finds its files, its credentials and its options as Redshift does, and refuses the rest."""

import json
import shutil
import subprocess
import time
import unittest

from case import OPTIONS, ROLE, StandinCase, packed, rule, standin_only
from wire import Gone, SqlError

KEYS = "ACCESS_KEY_ID 'fake-access-key' SECRET_ACCESS_KEY 'fake-secret-key'"


class CopySourceTest(StandinCase):
    options = ("--iam-role", "arn:aws:iam::123456789012:role/redshift-copy", "--s3-retry-seconds", "1")

    def count(self, table):
        return int(self.value(f"SELECT count(*) FROM {table}"))

    @standin_only("it knows the keys")
    @rule(12)
    def test_credentials(self):
        table, source = self.table("a int"), f"FROM 's3://bucket/{self.put('1' + chr(10))}'"
        for good in (ROLE, KEYS, "IAM_ROLE default",
                     "CREDENTIALS 'aws_iam_role=arn:aws:iam::123456789012:role/redshift-copy'",
                     "WITH CREDENTIALS AS 'aws_access_key_id=fake-access-key;aws_secret_access_key=fake-secret-key'"):
            self.sql(f"COPY {table} {source} {good} CSV")
        self.assertEqual(5, self.count(table))
        for bad, sqlstate in (("", "0A000"), (f"{ROLE} {KEYS}", "42601"), ("ACCESS_KEY_ID 'x'", "42601"),
                              (f"{ROLE} CREDENTIALS 'aws_iam_role=x'", "42601"), ("IAM_ROLE 'redshift-copy'", "XX000"),
                              ("CREDENTIALS 'aws_access_key_id=a; aws_secret_access_key=b'", "XX000"),
                              ("CREDENTIALS 'aws_access_key_id=a'", "XX000"), ("IAM_ROLE", "42601"),
                              ("IAM_ROLE 'arn:aws:iam::123456789012:role/other'", "XX000")):
            self.refused(f"COPY {table} {source} CSV {bad}", sqlstate, 12)
        self.refused(f"COPY {table} {source} ACCESS_KEY_ID 'fake-access-key' SECRET_ACCESS_KEY 'wrong' CSV", "XX000",
                     14, "Status 403,Error SignatureDoesNotMatch")
        self.assertEqual(5, self.count(table))

    @rule(13)
    def test_a_path_is_a_prefix(self):
        table = self.table("a int")
        for key in ("pre/custdata.txt", "pre/custdata.txt.1", "pre/custdata.txt.bak"):
            self.put("1\n", key)
        self.sql(f"COPY {table} FROM 's3://bucket/pre/custdata.txt' {OPTIONS}")
        self.assertEqual(3, self.count(table))
        listed = self.manifest(("pre/custdata.txt", True))
        self.sql(f"COPY {table} FROM '{listed}' {OPTIONS} MANIFEST")
        self.assertEqual(4, self.count(table))
        # Without the word, a manifest is data.
        self.refused(f"COPY {table} FROM '{listed}' {OPTIONS}", "XX000", None, "Load into table")

    @rule(13)
    def test_a_manifest_is_one_object(self):
        table = self.table("a int")
        listed = self.manifest((self.put("1\n"), True))
        self.refused(f"COPY {table} FROM '{listed[:-2]}' {OPTIONS} MANIFEST", "XX000", 13, "requires full path")
        self.refused(f"COPY {table} FROM 's3://bucket/' {OPTIONS} MANIFEST", "XX000", 13)
        for content in (packed('{"entries":[]}'), b'{"entries"', b'{"entries":[{"uri":"x"}]}', b"[]",
                        '{"entries":[{"url":"é"}]}'.encode("latin-1")):
            key = self.put(content)
            self.refused(f"COPY {table} FROM 's3://bucket/{key}' {OPTIONS} MANIFEST", "XX000", 13, "manifest")

    @rule(14)
    def test_what_a_manifest_may_miss(self):
        table, there = self.table("a int"), self.put("1\n2\n")
        self.sql(f"COPY {table} FROM '{self.manifest((there, True), ('absent', False), (there, True))}' {OPTIONS}"
                 f" MANIFEST")
        self.assertEqual(4, self.count(table))
        self.refused(f"COPY {table} FROM '{self.manifest((there, True), ('absent', True))}' {OPTIONS} MANIFEST",
                     "XX000", 14, "NoSuchKey")
        self.refused(f"COPY {table} FROM '{self.manifest(('absent', False))}' {OPTIONS} MANIFEST", "XX000", 14)
        self.refused(f"COPY {table} FROM 's3://bucket/nothing' {OPTIONS}", "XX000", 14, "does not exist")
        self.refused(f"COPY {table} FROM 's3://absent/x' {OPTIONS}", "XX000", 14, "NoSuchBucket")
        key = self.put(json.dumps({"entries": [{"url": f"s3://bucket/{there}"}, {"url": "s3://bucket/absent"}]}))
        self.sql(f"COPY {table} FROM 's3://bucket/{key}' {OPTIONS} MANIFEST")  # mandatory: false by default
        self.assertEqual(6, self.count(table))

    def test_a_busy_server_is_asked_again(self):
        table = self.table("a int")
        copy = self.copy_text(table, "1\n")
        self.s3.refuse(2)
        self.sql(copy)
        self.s3.refuse(1000)
        try:
            self.refused(copy, "XX000", 14, "SlowDown")
        finally:
            while self.s3.take_refusal():
                pass

    @rule(15)
    def test_regions(self):
        table = self.table("a int")
        copy = self.copy_text(table, "1\n")
        self.sql(copy + " REGION 'us-east-1'")
        self.refused(copy + " REGION 'eu-west-1'", "XX000", 15, "PermanentRedirect")

    @rule(16)
    def test_options_that_exclude_each_other(self):
        table, source = self.table("a int"), f"FROM 's3://bucket/{self.put('1' + chr(10))}' {ROLE}"
        for options in ("CSV ESCAPE", "CSV REMOVEQUOTES", "CSV FIXEDWIDTH 'a:1'", "QUOTE '|'",
                        "JSON 'auto' NULL AS 'x'",
                        "JSON 'auto' DELIMITER ','", "JSON 'auto' CSV", "CSV MAXERROR 5 IGNOREALLERRORS",
                        "FORMAT AS PARQUET DELIMITER ','", "PARQUET MAXERROR 3", "PARQUET REGION 'us-east-1'",
                        "CSV GZIP ZSTD", r"CSV NULL AS '\n'", "CSV DELIMITER '::'", "CSV NULL 'a' NULL 'b'",
                        "CSV UNKNOWN", "CSV QUOTE 'é'", "CSV MAXERROR 'x'"):
            self.refused(f"COPY {table} {source} {options}", "42601", 16)
        self.refused(f"COPY {table} {source} CSV MAXERROR 100001", "22023", 16)
        self.assertEqual(0, self.count(table))

    @rule(16)
    def test_fields_in_quotes(self):
        rows = self.load("a int, b varchar(20)", '1,"x ""y"", z"\r\n2, "q" \n"3","a\nb"\n4,\'\n')
        self.assertEqual([["1", 'x "y", z'], ["2", "q"], ["3", "a\nb"], ["4", "'"]], rows)
        for line in ('1,"x', '1,x"y', '1,"x"y', '1,"x""'):
            self.bad("a int, b varchar(20)", f"{line}\n", 1214, 16)
        self.assertEqual([["1", "a|b"]], self.load("a int, b varchar(9)", "1|^a|b^\n", "DELIMITER '|' QUOTE AS '^'"))

    @rule(22)
    def test_compressed_files(self):
        self.assertEqual([["1"], ["2"]], self.load("a int", packed("1\n") + packed("2\n"), "GZIP"))
        table = self.table("a int")
        for data in (b"1\n", packed("1\n2\n")[:-3]):
            self.refused(self.copy_text(table, data, f"{OPTIONS} GZIP"), "XX000", 22)
        self.refused(self.copy_text(table, packed("1\n")), "XX000", None, "Load into table")

    @rule(22)
    @unittest.skipUnless(shutil.which("zstd"), "no zstd")
    def test_files_of_zstd(self):
        table = self.table("a int")
        data = subprocess.run(["zstd", "-cq"], input=b"1\n", capture_output=True, check=True).stdout
        self.assertEqual([["1"]], self.load("a int", data, "ZSTD"))
        for wrong in (b"1\n", data[:-2]):
            self.refused(self.copy_text(table, wrong, f"{OPTIONS} ZSTD"), "XX000", 22)

    def wait_rows(self, table, count):
        deadline = time.monotonic() + 20
        while (found := self.count(table)) != count:
            self.assertLess(time.monotonic(), deadline, f"{found} rows instead of {count}")
            time.sleep(0.05)

    def test_a_copy_is_cancelled(self):
        table, session = self.table("a int"), self.open()
        self.target.fail(f"COPY {table}", "delay", seconds=0.6)
        session.send_query(self.copy_text(table, "1\n"))
        time.sleep(0.2)
        session.cancel()
        with self.assertRaises(SqlError) as caught:
            session.results()
        self.assertEqual("57014", caught.exception.sqlstate)
        self.assertEqual(0, self.count(table))

    def test_what_the_stand_in_does_not_load(self):
        table, source = self.table("a int"), f"FROM 's3://bucket/{self.put('1' + chr(10))}' {ROLE}"
        for options in ("", "DELIMITER '|'", "FORMAT AS PARQUET", "JSON 'auto'", "AVRO 'auto'", "CSV BZIP2"):
            self.refused(f"COPY {table} {source} {options}", "0A000", 0, "the stand-in")
        self.refused(f"COPY {table} FROM 'dynamodb://t' {ROLE} CSV", "0A000", 12)

    @rule(10)
    def test_a_copy_outlives_its_client(self):
        table = self.table("a int")
        copy = self.copy_text(table, "1\n2\n")
        self.target.fail(f"COPY {table}", "kill_during")
        with self.assertRaises(Gone):
            self.open().query(copy)
        self.wait_rows(table, 2)
        self.target.fail(f"COPY {table}", "kill_during")
        inside = self.open()
        inside.query("BEGIN")
        with self.assertRaises(Gone):
            inside.query(copy)
        time.sleep(0.3)
        self.wait_rows(table, 2)
        # The client that goes by itself.
        self.target.fail(f"COPY {table}", "delay", seconds=0.5)
        leaving = self.open()
        leaving.send_query(copy)
        leaving.stream.close()
        self.wait_rows(table, 4)

    def test_no_rows_and_columns_in_another_order(self):
        table = self.table("a int, b varchar(9)")
        self.sql(f"COPY {table} (b, a) FROM 's3://bucket/{self.put('x,1' + chr(10))}' {OPTIONS}")
        self.assertEqual([["1", "x"]], self.sql(f"SELECT a, b FROM {table}"))
        self.sql(self.copy_text(table, ""))
        self.sql(self.copy_text(table, packed(""), f"{OPTIONS} GZIP"))
        self.assertEqual("0", self.value("SELECT pg_last_copy_count()"))
        self.refused(f"COPY {table} (nope) FROM 's3://bucket/x' {OPTIONS}", "42703")
        with self.assertRaises(SqlError):
            self.sql(self.copy_text("absent", "1\n"))


if __name__ == "__main__":
    unittest.main()
