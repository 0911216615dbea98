#!/usr/bin/python3
"""Goal: types and names are Redshift's: what is absent is refused, what differs differs."""

import unittest

from case import OPTIONS, StandinCase, rule

SHOWN = "SELECT \"column\", type FROM pg_table_def WHERE tablename = '{}' ORDER BY 1"


class TypesTest(StandinCase):
    @rule(34)
    def test_absent_types(self):
        for kind in ("bit(3)", "bytea", "json", "jsonb", "uuid", "money", "xml", "inet", "cidr", "macaddr", "point",
                     "hstore",
                     "int4range", "tsvector", "oid", "name", "int[]", "varchar(3)[]", "interval"):
            self.refused(f"CREATE TABLE x (a {kind})", "0A000", 34, "unsupported type")
            self.refused(f"CREATE TEMP TABLE x (a {kind})", "0A000", 34)
        for kind in ("serial", "bigserial"):
            self.refused(f"CREATE TABLE x (a {kind})", "0A000", 34)
        self.refused("CREATE TABLE x (a mood)", "42704", 34)
        self.refused("SELECT '1'::jsonb", "0A000", 34)
        self.refused("SELECT CAST('1' AS uuid)", "0A000", 34)
        table = self.table("a interval day to second, b interval year to month, c geometry, d hllsketch")
        self.assertEqual("4", self.value(f"SELECT count(*) FROM svv_columns WHERE table_name = '{table}'"))

    @rule(35)
    def test_sizes_by_default(self):
        table = self.table("a text, b varchar, c numeric, d decimal(19,2), e char, f bpchar, g varbyte, h nvarchar(7),"
                           " i numeric(38,37), j character varying(5), k decimal(5), l varchar(max), m super")
        self.assertEqual(
            [["a", "character varying(256)"], ["b", "character varying(256)"], ["c", "numeric(18,0)"],
             ["d", "numeric(19,2)"], ["e", "character(1)"], ["f", "character(256)"], ["g", "binary varying(64000)"],
             ["h", "character varying(7)"], ["i", "numeric(38,37)"], ["j", "character varying(5)"], ["k",
                                                                                                     "numeric(5,0)"],
             ["l", "character varying(65535)"], ["m", "super"]], self.sql(SHOWN.format(table)))
        self.sql(f"INSERT INTO {table} (c, d) VALUES (1.5, 92233720368547758.07)")
        self.assertEqual([["2", "92233720368547758.07"]], self.sql(f"SELECT c, d FROM {table}"))
        self.refused(f"INSERT INTO {table} (d) VALUES (92233720368547758.08)", "23514")
        self.bad("a decimal(19,2)", "92233720368547758.08\n", 1209, 35)
        self.bad("a decimal(19,2)", "-92233720368547758.08\n", 1209, 35)
        self.bad("a decimal(5,2)", "1000\n", 1209, 35)
        for kind in ("decimal(39,0)", "decimal(38,38)", "numeric(0)", "numeric(5,6)", "numeric(5,-1)"):
            self.refused(f"CREATE TABLE x (a {kind})", "22023", 35)

    @rule(36)
    def test_most_sizes(self):
        for kind in ("varchar(65536)", "char(4097)", "varchar(0)", "varbyte(16777217)"):
            self.refused(f"CREATE TABLE x (a {kind})", "22023", 36)
        self.table("a varchar(65535), b char(4096), c varbyte(16777216)")

    @rule(37)
    def test_trailing_blanks(self):
        table = self.table("a varchar(5), b char(5)")
        self.sql(f"INSERT INTO {table} VALUES ('x', 'y'), ('x ', 'y '), ('x  ', 'z'), ('', '')")
        self.assertEqual("3", self.value(f"SELECT count(*) FROM {table} WHERE a = 'x   '"))
        self.assertEqual("2", self.value(f"SELECT count(*) FROM (SELECT DISTINCT a FROM {table}) AS s"))
        self.assertEqual("2", self.value(f"SELECT count(DISTINCT a) FROM {table}"))
        self.assertEqual("10", self.value(f"SELECT count(*) FROM {table} s JOIN {table} t ON s.a = t.a"))
        self.assertEqual("3", self.value(f"SELECT count(*) FROM {table} WHERE a IN ('x')"))
        self.assertEqual("3", self.value(f"SELECT count(*) FROM {table} WHERE a >= 'x ' AND a <= 'x'"))
        self.assertEqual("t", self.value("SELECT 'a' = 'a '"))
        self.assertEqual("t", self.value("SELECT 'a'::varchar(3) = 'a '::char(5)"))
        self.assertEqual([["0"], ["1"], ["2"], ["3"]], self.sql(f"SELECT octet_length(a) FROM {table} ORDER BY 1"))
        self.assertEqual([["0"], ["1"], ["2"], ["3"]], self.sql(f"SELECT len(a) FROM {table} ORDER BY 1"))
        self.sql(f"DELETE FROM {table} WHERE a = 'x'")
        self.assertEqual([["", "     "]], self.sql(f"SELECT a, b FROM {table}"))

    @rule(37)
    def test_lengths_are_bytes(self):
        table = self.table("a varchar(3), b char(3)")
        self.refused(f"INSERT INTO {table} (a) VALUES ('éé')", "22001", None, "value too long for type character"
                                                                              " varying(3)")
        self.refused(f"INSERT INTO {table} (b) VALUES ('é')", "22021")
        self.refused(f"INSERT INTO {table} (a) SELECT 'abcd'", "22001")
        self.sql(f"INSERT INTO {table} (a, b) VALUES ('abc   ', 'x    ')")
        self.assertEqual([["abc", "x  "]], self.sql(f"SELECT a, b FROM {table}"))
        self.assertEqual("é", self.value("SELECT 'éé'::varchar(3)"))
        self.sql(f"UPDATE {table} SET a = 'é'")
        self.refused(f"UPDATE {table} SET a = 'ééé'", "22001")

    def test_types_that_clients_are_told(self):
        self.session.send_query("SELECT 'a'::varchar(3), 'b'::char(2), JSON_PARSE('[1]'), FROM_HEX('00ff'),"
                                " 1.5::numeric(5,2)")
        kind, content = self.session.stream.receive()
        self.assertEqual(b"T", kind)
        import struct
        import wire
        oids = [struct.unpack_from("!I", rest, 6)[0] for _, rest in wire.read_row_description(content)]
        self.assertEqual([1043, 1042, 4000, 6551, 1700], oids)
        kind, content = self.session.stream.receive()
        self.assertEqual([b"a", b"b ", b"[1]", b"00ff", b"1.50"], wire.read_data_row(content))
        self.session.results()

    def test_super_and_varbyte_in_sql(self):
        table = self.table("a super, b varbyte(4)")
        self.sql(f"INSERT INTO {table} SELECT JSON_PARSE('{{\"k\":[1,2]}}'), 'ab'::varbyte")
        self.assertEqual([['{"k": [1, 2]}', "6162", "2"]], self.sql(
            f"SELECT JSON_SERIALIZE(a), TO_HEX(b), octet_length(b) FROM {table}"))
        self.refused("SELECT JSON_PARSE('{\"a\":1,\"a\":2}')", "XX000")
        self.assertEqual([["x", "1.50", None]], self.sql(
            "SELECT JSON_PARSE('\"x\"')::varchar, JSON_PARSE('1.50')::varchar, JSON_PARSE('null')::varchar"))
        self.refused(f"SELECT a::varchar FROM {table}", "XX000")
        self.refused(f"INSERT INTO {table} (b) VALUES (FROM_HEX('0102030405'))", "22001")

    @rule(38)
    def test_lower_case(self):
        self.sql('CREATE TABLE "MiXed" ("Ab" INT, "É" INT)')
        self.assertEqual([["mixed", "ab"], ["mixed", "É"]], self.sql(
            "SELECT tablename, \"column\" FROM pg_table_def WHERE tablename = 'mixed' ORDER BY 2"))
        self.refused('CREATE TABLE "MIXED" (a INT)', "42P07", None, 'Relation "mixed" already exists')
        self.refused('CREATE TABLE other ("a" INT, "A" INT)', "42701", 38)
        self.refused('ALTER TABLE mixed ADD COLUMN "AB" INT', "42701", 44)
        self.sql('SELECT "AB", "ab", ab FROM "mixed"')
        self.assertEqual("off", self.value("SHOW enable_case_sensitive_identifier"))
        self.refused("SET enable_case_sensitive_identifier TO on", "0A000", 0)

    @rule(39)
    def test_long_names(self):
        long, cut = "n" * 130, "n" * 127
        self.sql(f'CREATE TABLE "{long}" ("{long}" INT, "{"é" * 70}" INT)')
        self.assertEqual([[cut, cut], [cut, "é" * 63]], self.sql(
            f"SELECT tablename, \"column\" FROM pg_table_def WHERE tablename = '{cut}' ORDER BY 2"))
        self.refused(f'CREATE TABLE "{"n" * 128}x" (a INT)', "42P07", None, f'"{cut}" already exists')
        self.sql(f"COPY {long} ({long}) FROM 's3://bucket/{self.put('7' + chr(10))}' {OPTIONS}")
        (result,) = self.session.query(f'SELECT {long} FROM "{cut}"')
        self.assertEqual(([cut], [["7"]]), (result.columns, result.rows))
        self.refused(f'CREATE TABLE x ("{long}" INT, "{cut}y" INT)', "42701", 38)
        self.refused(f"SELECT {'m' * 127} FROM {cut}", "42703", None, "m" * 127)
        for name in ("oid", "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"):
            self.refused(f'CREATE TABLE x (a INT, "{name}" INT)', "42701", 39)

    @rule(40)
    def test_reserved_words(self):
        for word in ("tag", "open", "percent", "timestamp", "start", "date", "identity", "raw", "queryid", "delta",
                     "new"):
            self.refused(f"CREATE TABLE x (a int, {word} int)", "42601", 40)
            table = self.table(f'a int, "{word}" int')
            self.sql(f'SELECT "{word}" FROM {table}')
        table = self.table('"tag" int')
        self.refused(f"ALTER TABLE {table} ADD COLUMN system int", "42601", 40)
        self.refused(f"ALTER TABLE {table} RENAME COLUMN tag TO snapshot", "42601", 40)
        self.refused(f"SELECT tag FROM {table}", "42601", 40)
        self.refused(f"INSERT INTO {table} (tag) VALUES (1)", "42601", 40)
        self.refused(f"UPDATE {table} SET tag = 1", "42601", 40)

    @rule(41)
    def test_keys_and_counts(self):
        for kind in ("super", "varbyte", "geometry", "hllsketch"):
            self.refused(f"CREATE TABLE x (a {kind}) DISTKEY(a)", "0A000", 41)
            self.refused(f"CREATE TABLE x (a {kind} sortkey)", "0A000", 41)
        self.refused("CREATE TABLE x (a int) SORTKEY(b)", "42703", 41)
        columns = ", ".join(f"c{number} int" for number in range(1601))
        self.refused(f"CREATE TABLE x ({columns})", "54011", 41, "at most 1600 columns")
        table = self.table(columns.rpartition(",")[0].replace(" int", " smallint"))
        self.refused(f"ALTER TABLE {table} ADD COLUMN more int", "54011", 41)
        self.refused(f"CREATE TABLE x (LIKE {table}, more int)", "54011", 41)

    @rule(43)
    def test_keys_are_not_enforced(self):
        table = self.table("a int, b int UNIQUE, c int NOT NULL, PRIMARY KEY (a)")
        self.sql(f"INSERT INTO {table} VALUES (1, 1, 1), (1, 1, 1)")
        self.refused(f"INSERT INTO {table} VALUES (2, 2, NULL)", "23502")
        self.refused(f"INSERT INTO {table} VALUES (NULL, 2, 2)", "23502")
        self.assertEqual([["PRIMARY KEY", "a", "1"], ["UNIQUE", "b", "1"]], self.sql(
            "SELECT c.constraint_type, k.column_name, k.ordinal_position FROM information_schema.table_constraints c"
            f" JOIN information_schema.key_column_usage k USING (constraint_name) WHERE c.table_name = '{table}'"
            f" ORDER BY 1"))
        self.refused("CREATE TABLE x (a int PRIMARY KEY, b int PRIMARY KEY)", "42P16", 43)
        self.refused("CREATE TABLE x (a int, PRIMARY KEY (b))", "42703", 43)


if __name__ == "__main__":
    unittest.main()
