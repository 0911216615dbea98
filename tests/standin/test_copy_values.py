#!/usr/bin/python3
"""Goal: COPY takes, converts and refuses values as Redshift does."""

import unittest

from case import OPTIONS, ROLE, StandinCase, rule

NEST = "[" * 1000 + "]" * 1000


class CopyValuesTest(StandinCase):
    users = {"other": "other-secret"}

    @rule(17)
    def test_null_and_empty(self):
        columns = "a int, b varchar(9), c date, d super"
        self.assertEqual([["1", "", None, None], ["2", None, None, None], ["3", "", None, None], ["4", "  ", None,
                                                                                                  None],
                          ["5", "\\N", None, "null"]],
                         self.load(columns, '1,,,@null@\n2,@null@,"@null@",@null@\n3,"",,"@null@"\n4,  ,"",@null@\n'
                                   "5,\\N,  ,null\n"))
        self.assertEqual([["1", None], ["2", None]], self.load("a int, b varchar(9)", '1,"@null@"\n2,@null@\n'))
        self.assertEqual([["1", None], ["2", None]], self.load("a int, b varchar(9)", '1,""\n2,\n', "EMPTYASNULL"))
        self.assertEqual([["1", None], ["2", ""]], self.load("a int, b varchar(9)", '1,"  "\n2,\n', "BLANKSASNULL"))
        self.assertEqual([["1", "x"], ["2", ""]], self.load("a int, b varchar(9)", '1,"x  "\n2,  \n', "TRIMBLANKS"))
        self.bad("a int, d super", '1,""\n', 1224, 17)
        self.bad("a int, d super", "1,\n", 1224, 17)

    @rule(17)
    def test_the_default_marker(self):
        table = self.table("a int, b varchar(9)")
        self.sql(f"COPY {table} FROM 's3://bucket/{self.put('1,' + chr(92) + 'N' + chr(10))}' {ROLE} CSV")
        self.assertEqual([["1", None]], self.sql(f"SELECT * FROM {table}"))

    @rule(17)
    def test_digits(self):
        self.assertEqual([["-5"], ["3"], ["7"]], self.load("a int", "+7\n-5\n3\n"))
        for kind, value, code in (("int", "1.5", 1207), ("bigint", "12a", 1207), ("smallint", "x", 1207), ("int",
                                                                                                           "null",
                                                                                                           1207),
                                  ("numeric(9,2)", "1,5", 1207), ("double precision", "1e", 1208), ("real", "0x1",
                                                                                                    1208),
                                  ("boolean", "maybe", 1210), ("int", "1 ", 1207), ("int", "-", 1207), ("int", "\\N",
                                                                                                        1207)):
            self.bad(f"a {kind}", f'"{value}"\n', code, 17)
        column, line, reason, value = self.bad("a bigint, b bigint", "1,1\n2,1.5\n", 1207)
        self.assertEqual(("b", "2", "Invalid digit, Value '.', Pos 1, Type: Long", "1.5"), (column, line, reason,
                                                                                            value))
        self.assertEqual([["f"], ["f"], ["t"], ["t"]], self.load("a boolean", "1\nYES\nf\nno\n"))

    @rule(18)
    def test_counts_of_fields(self):
        self.bad("a int, b int", "1,2\n1,2,3\n", 1202, 18)
        _, line, _, _ = self.bad("a int, b int", "1,2\n3,4\n5\n", 1203, 18)
        self.assertEqual("3", line)
        self.bad("a int", "1\n\n2\n", 1211, 18)
        self.assertEqual([["1"], ["2"]], self.load("a int", "1\n\n2\n", "IGNOREBLANKLINES"))
        self.assertEqual([["1", "", None]], self.load("a int, b varchar(3), c int", "1\n", "FILLRECORD"))
        self.assertEqual([["1"]], self.load("a int", "a\n1\n", "IGNOREHEADER 1"))

    @rule(19)
    def test_lengths_are_bytes(self):
        self.assertEqual([["abc"], ["é"]], self.load("a varchar(3)", "abc\né\n"))
        self.bad("a varchar(3)", "éé\n", 1204, 19)
        self.bad("a varchar(3)", "abcd\n", 1204, 19)
        self.bad("a char(3)", "abcd\n", 1204, 19)
        self.bad("a varbyte(2)", "010203\n", 1204, 19)
        self.assertEqual([["abc"]], self.load("a varchar(3)", "abc   \n"))
        self.assertEqual([["abc"], ["é"]], self.load("a varchar(3)", "abcdef\néé\n", "TRUNCATECOLUMNS"))
        for kind, value in (("smallint", "32768"), ("int", "-2147483649"), ("bigint", "9223372036854775808")):
            self.bad(f"a {kind}", f"{value}\n", 1222, 19)
        self.assertEqual([["-9223372036854775808"]], self.load("a bigint", "-9223372036854775808\n"))

    @rule(20)
    def test_utf8(self):
        self.assertEqual([["é\U0001f600\ufdd0"]], self.load("a varchar(20)", "é\U0001f600\ufdd0\n"))
        for data in (b"a\xa4b", b"\xed\xa0\x80", b"\xc3", b"\xf8\x88\x80\x80\x80", b"\xc0\x80"):
            self.bad("a varchar(20), b int", data + b",1\n", 1220, 20)
        self.bad("a char(20)", "é\n", 1220, 20)
        self.assertEqual([["a?b??"]], self.load("a varchar(20)", b"a\xa4b\xc3\xff\n", "ACCEPTINVCHARS"))
        self.assertEqual([["a^b"]], self.load("a varchar(20)", b"a\xa4b\n", "ACCEPTINVCHARS AS '^'"))

    @rule(21)
    def test_the_byte_0(self):
        for data in (b"a\0b,1\n", b'"a\0b",1\n', b"ab,1\0\n"):
            self.bad("a varchar(20), b int", data, 1218, 21)
        self.refused(r"SELECT 'a\0b'", "22021", 21)

    @rule(22)
    def test_long_rows(self):
        columns = ", ".join(f"c{number} varchar(65535)" for number in range(70))
        self.bad(columns, ",".join(["x" * 60000] * 70) + "\n", 1216, 22)
        self.assertEqual(1, len(self.load(columns, ",".join(["x" * 59000] * 70) + "\n")))

    @rule(23)
    def test_times(self):
        columns = "a timestamp, b timestamptz, c date, d time, e timetz"
        self.assertEqual(
            [["2024-02-29 01:02:03.123456", "2024-01-01 10:30:00+00", "2024-02-29", "24:00:00", "01:02:03+02"]],
            self.load(columns, "2024-02-29T01:02:03.123456+05,2024-01-01"
                               " 12:30:00+02,2024-02-29,24:00:00,01:02:03+02\n"))
        for kind, value, code in (
                ("timestamp", "2024-01-01 00:00:00.1234567", 1206), ("timestamp", "2024-02-30 00:00:00", 1206),
                ("timestamptz", "2024-01-01 00:00:00.1234567+00", 1206), ("timestamp", "2024-01-01", 1206),
                ("date", "2024-02-30", 1205), ("date", "2024-1-1", 1205), ("time", "25:00:00", 1206),
                ("time", "01:02:03.1234567", 1206), ("timestamp", "12024-01-01 00:00:00", 1206),
                ("timestamp", "2024-01-01 24:30:00", 1206), ("date", "0000-01-01", 1205)):
            self.bad(f"a {kind}", f"{value}\n", code, 23)
        table = self.table("a timestamptz, b timestamp")
        options = OPTIONS.replace("TIMEFORMAT 'auto'", "")
        self.sql(self.copy_text(table, "2024-01-01 00:00:00+02,2024-01-01 00:00:00\n", options))
        for row in ("2024-01-01T00:00:00+02,@null@", "2024-01-01 00:00:00,@null@", "2024-01-01 00:00:00Z,@null@",
                    "@null@,2024-01-01T00:00:00", "@null@,2024-01-01 00:00:00+02"):
            self.refused(self.copy_text(table, row + "\n", options), "XX000", 23)
        self.refused(self.copy_text(table, "2024-01-01 00:00:00+02,@null@\n", options + " TIMEFORMAT 'AUTO'"),
                     "XX000", 23)
        self.assertEqual([["1", None]], self.load("a int, b date", "1,nonsense\n", "ACCEPTANYDATE"))

    @rule(24)
    def test_endless_values(self):
        for kind, value, code in (("date", "infinity", 1205), ("timestamp", "-infinity", 1206), ("timestamptz",
                                                                                                 "infinity", 1206),
                                  ("date", "0044-03-15 BC", 1205), ("timestamp", "0044-03-15 00:00:00 BC", 1206),
                                  ("double precision", "NaN", 1208), ("real", "-Infinity", 1208),
                                  ("numeric(9,2)", "NaN", 1207), ("double precision", "1e400", 1204), ("real", "1e39",
                                                                                                       1204)):
            self.bad(f"a {kind}", f"{value}\n", code, 24)

    @rule(25)
    def test_decimals_are_cut_by_copy_and_rounded_by_insert(self):
        self.assertEqual([["-1.99"], ["0.05"], ["1.99"]], self.load("a numeric(9,2)", "1.999\n-1.999\n.0599\n"))
        self.assertEqual([["-2.00"], ["2.00"]], self.load("a numeric(9,2)", "1.995\n-1.999\n", "ROUNDEC"))
        self.assertEqual([["1"]], self.load("a numeric", "1.9\n"))
        self.assertEqual([["150.00"]], self.load("a numeric(9,2)", "1.5e2\n"))
        table = self.table("a numeric(9,2)")
        self.sql(f"INSERT INTO {table} VALUES (1.999)")
        self.assertEqual("2.00", self.value(f"SELECT a FROM {table}"))

    @rule(26)
    def test_not_null(self):
        self.bad("a int NOT NULL, b int", "@null@,1\n", 1213, 26)
        self.bad("a varchar(3) NOT NULL, b int", "@null@,1\n", 1213, 26)
        self.bad("a int, b int, PRIMARY KEY (a)", ",1\n", 1213, 26)
        self.assertEqual([["1", "7"], ["2", "8"]], self.load("a int, b int NOT NULL DEFAULT 7", "1,@null@\n2,8\n"))

    @rule(27)
    def test_identity(self):
        table = self.table("id bigint IDENTITY(5, 2), a int")
        self.sql(self.copy_text(table, "1\n2\n"))
        self.assertEqual([["5", "1"], ["7", "2"]], self.sql(f"SELECT * FROM {table} ORDER BY 1"))
        key = self.put("9,3\n")
        self.refused(f"COPY {table} (id, a) FROM 's3://bucket/{key}' {OPTIONS}", "0A000", 27)
        self.sql(f"COPY {table} (id, a) FROM 's3://bucket/{key}' {OPTIONS} EXPLICIT_IDS")

    @rule(28)
    def test_super(self):
        def cell(text):
            return '1,"' + text.replace('"', '""') + '"\n'
        good = ['{"a":[1,{"b":null}],"c":"é"}', "1.50", '"x"', "null", NEST]
        for text in good:
            self.load("a int, b super", cell(text))
        # It can be loaded, but not read as a text.
        table = self.table("a int, b super")
        self.sql(self.copy_text(table, cell('"' + "x" * 65535 + '"') + cell("1")))
        self.sql("BEGIN")
        error = self.refused(f"SELECT * FROM {table}", "XX000", 28, "Invalid input")
        self.assertIn("String value exceeds the max size of 65535 bytes", error.detail)
        self.refused("SELECT 1", "25P02", 58)
        self.sql("ROLLBACK")
        self.assertEqual([["1", "1"]], self.sql(f"SELECT * FROM {table} WHERE JSON_SERIALIZE(b) = '1'"))
        for text in ("{a:1}", "[1", "NaN", '{"a":1,"a":2}', '{"x":{"a":1,"b":0,"a":2}}', "[" + NEST + "]", '"\\ud800"',
                     '"\\u0000"', '["' + "x" * 65536 + '"]', "plain",
                     '["' + "x" * 60000 + '"' + (',"' + "x" * 60000 + '"') * 20 + "]",
                     '"' + "é" * 40000 + '"'):
            self.bad("a int, b super", cell(text), 1224, 28)
        self.bad("a int, b super", cell("[1e400]"), 1224, 28)
        table = self.table("a int, b super")
        self.sql(self.copy_text(table, cell('[1e2, "1e5", 0.1, 1234567890123456789012345678901234567890]')))
        self.assertEqual([['[100.0, "1e5", 0.1, 1234567890123456800000000000000000000000]']],
                         self.sql(f"SELECT b FROM {table}"))
        self.sql("SET json_parse_dedup_attributes TO on")
        self.load("a int, b super", cell('{"a":1,"a":2}'))

    @rule(29)
    def test_varbyte(self):
        self.assertEqual([["00ff", "1"], ["0aab", "2"], [None, "3"]],
                         self.load("a varbyte, b int", "00FF,1\n0aAb,2\n@null@,3\n"))
        for value in ("\\x00ff", "0", "0g", "abc"):
            self.bad("a varbyte", f"{value}\n", 1219, 29)

    @rule(30)
    def test_where_the_error_is(self):
        table = self.table("a int")
        copy = self.copy_text(table, '1\n"x\n"\n')
        self.sql("BEGIN")
        self.refused(copy, "XX000", 17, f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for"
                     " details.")
        self.refused("SELECT * FROM stl_load_errors", "25P02", 58)
        self.sql("ROLLBACK")
        # Of COPY itself: the SELECT is another query.
        row = self.sql("SELECT line_number, err_code, err_reason, filename, colname, type FROM stl_load_errors ORDER BY"
                       " query DESC LIMIT 1")[0]
        self.assertEqual(("2", "1207"), tuple(row[:2]))
        self.assertEqual([100, 256, 127, 10], list(map(len, row[2:])))
        detail = self.sql("SELECT error_code, column_name FROM sys_load_error_detail ORDER BY query_id DESC LIMIT 1")[0]
        self.assertEqual(["1207", "a"], [value.strip() for value in detail])
        self.assertEqual([], self.sql("SELECT * FROM stl_load_errors", self.open(user="other")))

    @rule(30)
    def test_errors_that_postgres_finds(self):
        table = self.table("a int, b interval day to second")
        first, second = self.put("1,1 day\n2,2 days\n"), self.put("3,3 days\n4,nonsense\n")
        self.refused(f"COPY {table} FROM '{self.manifest((first, True), (second, True))}' {OPTIONS} MANIFEST",
                     "XX000", 23,
                     "Load into table")
        self.assertEqual([["2", "b", f"s3://bucket/{second}"]], self.sql(
            "SELECT line_number, trim(colname), trim(filename) FROM stl_load_errors ORDER BY query DESC LIMIT 1"))
        self.assertEqual("0", self.value("SELECT pg_last_copy_count()"))
        self.bad("a geometry", "xyz\n", 1219, 29)
        self.bad("a numeric(9,2)", "1e999\n", 1209, 35)

    @rule(31)
    def test_what_copy_answers(self):
        table = self.table("a int")
        (result,) = self.session.query(self.copy_text(table, "1\n2\n"))
        self.assertEqual("COPY", result.tag)
        self.assertEqual(("INFO", f"Load into table '{table}' completed, 2 record(s) loaded successfully."),
                         (self.session.notices[-1]["S"], self.session.notices[-1]["M"]))
        self.assertEqual("2", self.value("SELECT pg_last_copy_count()"))
        copy = self.value("SELECT pg_last_copy_id()")
        self.assertEqual(copy, self.value("SELECT pg_last_query_id()"))
        self.refused(self.copy_text(table, "x\n"), "XX000")
        self.assertEqual("0", self.value("SELECT pg_last_copy_count()"))
        self.assertEqual([self.value("SELECT pg_last_copy_id()")], self.sql(
            "SELECT query FROM stl_load_errors ORDER BY query DESC LIMIT 1")[0])

    @rule(32)
    def test_maxerror_drops_rows(self):
        self.assertEqual([["1"], ["2"], ["3"]], self.load("a int", "1\nx\n2\ny,z\n3\n", "MAXERROR 3"))
        self.assertEqual("3", self.value("SELECT pg_last_copy_count()"))
        self.bad("a int", "1\nx\n2\ny\n3\n", 1207, None, "MAXERROR 2")

    @rule(33)
    def test_privileges(self):
        table, other = self.table("a int"), self.open(user="other")
        copy = self.copy_text(table, "1\n")
        self.refused(copy, "42501", 33, session=other)
        self.sql(f"GRANT INSERT, SELECT ON {table} TO other")
        other.query(copy)
        self.refused(copy + " STATUPDATE OFF", "42501", 33, session=other)


class SwitchedTest(StandinCase):
    switched = True
    options = ("--quoted-marker-stays", "--allow-endless", "--mode", "serverless", "--super-csv-bytes", "4000000")

    @rule(17)
    def test_a_marker_in_quotes_is_a_text(self):
        self.assertEqual([["1", "@null@"], ["2", None]], self.load("a int, b varchar(9)", '1,"@null@"\n2,@null@\n'))

    @rule(24)
    def test_endless_values(self):
        self.assertEqual([["infinity", "NaN"]], self.load("a date, b double precision", "infinity,NaN\n"))

    @rule(30)
    def test_serverless_names_another_view(self):
        table = self.table("a int")
        self.refused(self.copy_text(table, "x\n"), "XX000", 17, "Check 'sys_load_error_detail' system table")
        self.assertEqual([["1207"]], self.sql("SELECT error_code FROM sys_load_error_detail"))
        self.refused("SELECT * FROM stl_load_errors", "42501", 60)

    @rule(28)
    def test_a_large_super(self):
        table = self.table("a super")
        data = '["' + "x" * 60000 + '"' + (',"' + "x" * 60000 + '"') * 20 + "]\n"
        self.sql(self.copy_text(table, data, OPTIONS + " DELIMITER '|' QUOTE '^'"))


if __name__ == "__main__":
    unittest.main()
