#!/usr/bin/python3
"""Goal: CREATE, ALTER and DROP do what Redshift's do and no more, and are remembered in its catalog."""

import unittest

from case import StandinCase, rule


class DdlTest(StandinCase):
    users = {"other": "other-secret"}

    def columns(self, table):
        return [row[0] for row in self.sql(f"SELECT column_name FROM svv_columns WHERE table_name = '{table}'"
                                           " ORDER BY ordinal_position")]

    @rule(42)
    def test_what_cannot_be_created(self):
        table = self.table("a int")
        for sql in (f"CREATE INDEX i ON {table} (a)", f"CREATE UNIQUE INDEX i ON {table} (a)", "CREATE SEQUENCE s",
                    f"CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION f()", "CREATE DOMAIN d AS int",
                    "CREATE TYPE t AS ENUM ('a')", "CREATE UNLOGGED TABLE x (a int)", "CREATE EXTENSION hstore",
                    "CREATE TABLE x (a int CHECK (a > 0))", "CREATE TABLE x (a int, CHECK (a > 0))",
                    f"ALTER TABLE {table} ADD CONSTRAINT c CHECK (a > 0)", "DROP INDEX i", "DROP SEQUENCE s"):
            self.refused(sql, "0A000", 42)
        for sql in ("CREATE TABLE x (a int) PARTITION BY RANGE (a)", f"CREATE TABLE x (a int) INHERITS ({table})",
                    "CREATE TABLE x (a int) WITH (fillfactor = 50)", "CREATE TABLE x (a int) TABLESPACE y",
                    "CREATE TABLE x (a int GENERATED ALWAYS AS IDENTITY)", "CREATE TABLE x (a int DEFAULT)",
                    "CREATE TABLE x (a int) DISTSTYLE SOME", "CREATE TABLE x"):
            self.refused(sql, "42601", 42)
        self.refused(f"CREATE VIEW v_{table} AS SELECT * FROM {table} WITH NO SCHEMA BINDING", "0A000", 42)

    @rule(41, 42, 44, 45, 46, 47, 49)
    def test_grammar(self):
        table = self.table("a int, b super, c varchar(9)")
        for sql, sqlstate, number in (
                ("CREATE TABLE x (a int) DISTSTYLE EVEN DISTKEY(a)", "42601", 49), ("CREATE TABLE x (a int)"
                                                                                    " DISTSTYLE KEY", "42601", 49),
                ("CREATE TABLE x (a int DISTKEY, b int DISTKEY)", "42601", 41), ("CREATE TABLE x (a int) DISTKEY(a,"
                                                                                 " b)", "42601", 41),
                ("CREATE TABLE x (a int ENCODE fast)", "0A000", 42), ("CREATE TABLE x (a int PRIMARY)", "42601", 42),
                ("CREATE TABLE x (a int, )", "42601", 42), ("CREATE TABLE x (a int, 5 int)", "42601", 40),
                ("CREATE TABLE x (a int, PRIMARY KEY (a + 1))", "42601", 42), ("CREATE TABLE x (a int, UNIQUE a)",
                                                                               "42601", 42),
                (f"CREATE TABLE x (LIKE {table} INCLUDING ALL)", "42601", 49), ("CREATE TABLE x (a int IDENTITY)",
                                                                                "42601", 42),
                ("CREATE TABLE x (a)", "42601", 34), ("CREATE LOCAL TABLE x (a int)", "42601", 42),
                ("CREATE OR DROP VIEW x AS SELECT 1", "42601", 42), ("CREATE USER x", "0A000", 0), ("DROP USER x",
                                                                                                    "0A000", 0),
                ("DROP SCHEMA redshift CASCADE", "42501", 61), ("ALTER SEQUENCE x", "0A000", 42),
                (f"ALTER TABLE {table}", "42601", 44), (f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", "42601", 46),
                (f"ALTER TABLE {table} DROP COLUMN a SLOWLY", "42601", 47), (f"ALTER TABLE {table} RENAME a b",
                                                                             "42601", 44),
                (f"ALTER TABLE {table} ALTER c TYPE varchar(10) USING c", "42601", 45),
                (f"ALTER TABLE {table} ALTER SORTKEY (z)", "42703", 41), (f"ALTER TABLE {table} ALTER DISTKEY (b)",
                                                                          "0A000", 41),
                (f"ALTER TABLE {table} ALTER SORTKEY (b)", "0A000", 41),
                (f"ALTER TABLE {table} ADD PRIMARY KEY (z)", "42703", 43)):
            self.refused(sql, sqlstate, number)
        names = ", ".join(f"c{number}" for number in range(9))
        self.refused(f"CREATE TABLE x ({names.replace(',', ' int,')} int) INTERLEAVED SORTKEY({names})", "54011", 41)

    def test_views_without_schema_binding(self):
        table = self.table("a int, b int")
        view = f"v_{table}"
        create = f'CREATE OR REPLACE VIEW public."{view}" AS SELECT a AS "A" FROM public.{table} WITH NO SCHEMA BINDING'
        self.sql(create)
        self.sql(f"INSERT INTO {table} VALUES (1, 2)")
        for query in (f"SELECT a FROM {view}", f'SELECT x.a FROM "public"."{view}" AS x', f"SELECT {view}.a FROM"
                                                                                          f" {view} WHERE a = 1",
                      f"SELECT y.a FROM {table} x JOIN {view} y ON x.a = y.a"):
            self.assertEqual([["1"]], self.sql(query))
        # It holds nothing of its table, and reads what has taken the table's place.
        self.sql(f"ALTER TABLE {table} DROP COLUMN b")
        self.sql(f"BEGIN; DROP TABLE {table}")
        self.refused(f"SELECT * FROM {view}", "42P01")
        self.sql("ROLLBACK")
        self.sql(f"BEGIN; DROP TABLE {table}; CREATE TABLE new_{table} (a int)")
        self.sql(f"ALTER TABLE new_{table} RENAME TO {table}; COMMIT")
        self.assertEqual([], self.sql(f"SELECT * FROM {view}"))
        self.assertEqual([["VIEW"]], self.sql(f"SELECT table_type FROM svv_tables WHERE table_name = '{view}'"))
        self.refused(create.replace("OR REPLACE ", ""), "42P07")
        self.refused(create.replace(view, table), "42P07")
        self.sql(f"GRANT SELECT ON {view} TO other")
        self.sql(f"CREATE OR REPLACE VIEW w_{view} AS SELECT * FROM public.{view} UNION ALL SELECT 7 WITH NO SCHEMA"
                 f" BINDING")
        self.assertEqual([["7"]], self.sql(f"SELECT * FROM w_{view}"))
        self.sql(f"CREATE VIEW x_{view} AS SELECT * FROM public.x_{view} WITH NO SCHEMA BINDING")
        self.refused(f"SELECT * FROM x_{view}", "42P17", 42)
        self.sql(f"BEGIN; DROP VIEW {view}; ROLLBACK")
        self.sql(f"DROP VIEW {view}")
        self.refused(f"SELECT * FROM {view}", "42P01")
        self.refused(f"DROP VIEW {view}", "42P01")

    def test_attributes_are_remembered(self):
        table = self.table("a bigint ENCODE az64, b varchar(9) ENCODE zstd, c int",
                           "BACKUP NO DISTSTYLE KEY DISTKEY(a) COMPOUND SORTKEY(c, a)")
        self.assertEqual([["a", "az64", "t", "2"], ["b", "zstd", "f", "0"], ["c", "none", "f", "1"]], self.sql(
            f"SELECT \"column\", encoding, distkey, sortkey FROM pg_table_def WHERE tablename = '{table}' ORDER BY 1"))
        self.sql(f"ALTER TABLE {table} RENAME COLUMN c TO d")
        self.assertEqual([["d", "1"]], self.sql(
            f"SELECT \"column\", sortkey FROM pg_table_def WHERE tablename = '{table}' AND sortkey = 1"))
        self.sql(f"ALTER TABLE {table} ALTER DISTSTYLE EVEN")
        self.sql(f"ALTER TABLE {table} ALTER SORTKEY (a)")
        self.assertEqual([["a", "f", "1"]], self.sql(
            f"SELECT \"column\", distkey, sortkey FROM pg_table_def WHERE tablename = '{table}' AND sortkey > 0"))
        for more in ("DISTSTYLE AUTO SORTKEY AUTO", "DISTSTYLE ALL", "SORTKEY AUTO", "ENCODE AUTO", ""):
            self.table("a int", more)
        self.sql("BEGIN")
        gone = self.table("a int", "DISTKEY(a)")
        self.sql("ROLLBACK")
        self.assertEqual([], self.sql(f"SELECT * FROM pg_table_def WHERE tablename = '{gone}'"))

    @rule(44)
    def test_alter_add(self):
        table = self.table("a int")
        self.sql(f"INSERT INTO {table} VALUES (1)")
        for sql in ("ADD COLUMN b int, ADD COLUMN c int", "ADD COLUMN IF NOT EXISTS b int",
                    "DROP COLUMN a, ADD COLUMN b int",
                    "ADD COLUMN b int NOT NULL", "ADD COLUMN b int NOT NULL DEFAULT NULL"):
            self.refused(f"ALTER TABLE {table} {sql}", "42601", 44)
        self.refused(f"ALTER TABLE IF EXISTS {table} ADD COLUMN b int", "42601", 44)
        for sql in ("b int UNIQUE", "b int PRIMARY KEY", "b bigint IDENTITY(1,1)", "b int DISTKEY", "b int SORTKEY"):
            self.refused(f"ALTER TABLE {table} ADD COLUMN {sql}", "0A000", 44)
        self.refused(f"ALTER TABLE {table} ADD COLUMN a int", "42701", 44)
        self.sql(f"ALTER TABLE {table} ADD COLUMN b int NOT NULL DEFAULT 7 ENCODE zstd")
        self.sql(f"ALTER TABLE {table} ADD c super")
        self.assertEqual([["1", "7", None]], self.sql(f"SELECT * FROM {table}"))

    @rule(45)
    def test_alter_type(self):
        table = self.table("a int, b varchar(10), c varchar(10) DEFAULT 'x', d varchar(10) UNIQUE,"
                           " e varchar(10) ENCODE bytedict, f varbyte(4), g char(3)")
        self.sql(f"INSERT INTO {table} (b) VALUES ('12345')")
        alter = f"ALTER TABLE {table} ALTER COLUMN"
        for column, kind in (("a", "bigint"), ("b", "int"), ("f", "varbyte(8)"), ("g", "char(4)"), ("b", "char(20)"),
                             ("c", "varchar(20)"), ("d", "varchar(20)"), ("e", "varchar(20)"), ("b", "varchar(4)")):
            self.refused(f"{alter} {column} TYPE {kind}", "0A000", 45)
        self.refused(f"{alter} b TYPE varchar(10)", "0A000", 45, "target column size should be different")
        self.refused(f"{alter} nope TYPE varchar(10)", "42703", 45)
        self.sql(f"{alter} b TYPE varchar(20)")
        self.sql(f"{alter} b TYPE varchar(5)")
        self.sql("BEGIN")
        self.refused(f"{alter} b TYPE varchar(20)", "25001", 45, "cannot run inside a transaction block")
        self.sql("ROLLBACK")
        self.sql(f"CREATE VIEW v_{table} AS SELECT b FROM {table}")
        self.refused(f"{alter} b TYPE varchar(20)", "0A000", None, "used by a view or rule")

    @rule(46)
    def test_alter_that_is_absent(self):
        table = self.table("a int, b int NOT NULL")
        for sql in ("ALTER COLUMN a SET NOT NULL", "ALTER COLUMN b DROP NOT NULL", "ALTER COLUMN a SET DEFAULT 1",
                    "ALTER COLUMN a DROP DEFAULT"):
            self.refused(f"ALTER TABLE {table} {sql}", "0A000", 46)
        self.refused(f"ALTER TABLE {table} SET SCHEMA other", "42601", 46)
        self.refused(f"ALTER TABLE {table} ADD PRIMARY KEY (a)", "42P16", 46)
        self.sql(f"ALTER TABLE {table} ADD PRIMARY KEY (b)")
        self.assertEqual([[f"{table}_pkey"]], self.sql(
            f"SELECT constraint_name FROM information_schema.table_constraints WHERE table_name = '{table}'"))
        self.sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        self.refused(f"ALTER TABLE {table} DROP CONSTRAINT nope", "42704")

    @rule(47)
    def test_drop_column(self):
        table = self.table("a int, b int, c int, d int, e int", "DISTKEY(a) SORTKEY(b)")
        self.sql(f"CREATE VIEW v_{table} AS SELECT c FROM {table}")
        for column in "ab":
            self.refused(f"ALTER TABLE {table} DROP COLUMN {column}", "0A000", 47)
        self.refused(f"ALTER TABLE {table} DROP COLUMN c", "2BP01")
        self.refused(f"ALTER TABLE {table} DROP COLUMN d, DROP COLUMN e", "42601")
        self.refused(f"ALTER TABLE {table} DROP COLUMN IF EXISTS d", "42601", 47)
        self.refused(f"DROP TABLE {table}", "2BP01")
        self.sql(f"ALTER TABLE {table} DROP COLUMN c CASCADE")
        self.sql(f"ALTER TABLE {table} DROP COLUMN d")
        self.assertEqual(["a", "b", "e"], self.columns(table))
        self.refused(f"ALTER TABLE {self.table('a int')} DROP COLUMN a", "0A000", 47, "last column")

    @rule(47)
    def test_drop_column_after_an_update_of_a_new_one(self):
        table = self.table("a int, b int")
        self.sql(f"BEGIN; ALTER TABLE {table} ADD COLUMN c int; UPDATE {table} SET c = a")
        self.refused(f"ALTER TABLE {table} DROP COLUMN a", "0A000", 47)
        self.sql("ROLLBACK")
        self.sql(f"ALTER TABLE {table} ADD COLUMN c int; UPDATE {table} SET c = a; ALTER TABLE {table} DROP COLUMN a")

    @rule(63)
    def test_drop_in_a_schema_that_is_not_there(self):
        for kind in ("TABLE", "VIEW"):
            for exists in ("", "IF EXISTS "):
                self.refused(f"DROP {kind} {exists}nowhere.t", "3F000", 63)
            self.sql(f"DROP {kind} IF EXISTS nothing_{kind}")

    @rule(48)
    def test_not_inside_a_transaction(self):
        table, source = self.table("a int"), self.table("a int")
        self.sql(f"INSERT INTO {source} VALUES (1)")
        for sql in ("VACUUM", f"VACUUM DELETE ONLY {table}", f"ALTER TABLE {table} APPEND FROM {source}",
                    "CREATE DATABASE x",
                    "DROP DATABASE x", "CREATE EXTERNAL TABLE s.t (a int) STORED AS PARQUET LOCATION 's3://x'",
                    "DROP EXTERNAL TABLE s.t", "CREATE LIBRARY l LANGUAGE plpythonu",
                    "ALTER DATABASE dev ISOLATION LEVEL SNAPSHOT", "GRANT USAGE ON EXTERNAL SCHEMA s TO other"):
            self.sql("BEGIN")
            self.refused(sql, "25001", 48)
            self.sql("ROLLBACK")
        self.sql(f"ALTER TABLE {table} APPEND FROM {source}")
        self.assertEqual([["1", "0"]], self.sql(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM"
                                                f" {source})"))
        self.sql("VACUUM")
        self.sql(f"ANALYZE {table}")
        self.sql("BEGIN")
        inside = self.table("a int, b int")
        for sql in (f"ALTER TABLE {inside} ADD COLUMN c int", f"ALTER TABLE {inside} DROP COLUMN b",
                    f"ALTER TABLE {inside} RENAME COLUMN c TO d", f"DROP TABLE {source}", f"ALTER TABLE {inside}"
                                                                                          f" RENAME TO {source}"):
            self.sql(sql)
        self.sql("COMMIT")
        self.assertEqual(["a", "d"], self.columns(source))

    @rule(49)
    def test_like(self):
        table = self.table("a int NOT NULL, b int DEFAULT 3, c int, PRIMARY KEY (a)", "DISTKEY(a) SORTKEY(b)")
        for more in ("DISTKEY(a)", "SORTKEY(b)", "DISTSTYLE EVEN"):
            self.refused(f"CREATE TABLE x (LIKE {table}) {more}", "42601", 49)
        self.sql(f"CREATE TABLE like_{table} (LIKE {table} INCLUDING DEFAULTS, d int)")
        self.assertEqual([["a", "t", "0", "t"], ["b", "f", "1", "f"], ["c", "f", "0", "f"], ["d", "f", "0", "f"]],
                         self.sql(
            "SELECT \"column\", distkey, sortkey, \"notnull\" FROM pg_table_def WHERE tablename ="
            f" 'like_{table}' ORDER BY 1"))
        self.sql(f"INSERT INTO like_{table} (a) VALUES (1)")
        self.assertEqual("3", self.value(f"SELECT b FROM like_{table}"))
        self.assertEqual([], self.sql("SELECT * FROM information_schema.table_constraints WHERE table_name ="
                                      f" 'like_{table}'"))
        self.sql(f"CREATE TEMP TABLE as_{table} AS SELECT * FROM {table}")
        self.assertEqual("f", self.value(f"SELECT bool_or(distkey) FROM pg_table_def WHERE tablename = 'as_{table}'"))

    @rule(50)
    def test_temporary_tables(self):
        self.refused("CREATE TEMP TABLE public.x (a int)", "42P16", 50)
        table = self.table("a int")
        self.sql(f"CREATE TEMP TABLE {table} (b int)")
        self.assertEqual(["b"], self.session.query(f"SELECT * FROM {table}")[0].columns)
        self.assertEqual(["a"], self.session.query(f"SELECT * FROM public.{table}")[0].columns)
        self.assertEqual(["a"], self.open().query(f"SELECT * FROM {table}")[0].columns)
        self.sql("CREATE TABLE #own (a int)")
        self.sql("INSERT INTO #own VALUES (1)")
        self.assertEqual("1", self.value("SELECT count(*) FROM #own"))
        self.refused("SELECT * FROM #own", "42P01", session=self.open())
        self.sql("CREATE TABLE IF NOT EXISTS " + table + " (other int)")  # only the name is compared

    @rule(61)
    def test_owners(self):
        table, other = self.table("a int, b int"), self.open(user="other")
        self.sql(f"GRANT ALL ON {table} TO other")
        for sql in (f"ALTER TABLE {table} ADD COLUMN c int", f"ALTER TABLE {table} DROP COLUMN b",
                    f"DROP TABLE {table}",
                    f"ALTER TABLE {table} RENAME TO x"):
            self.refused(sql, "42501", session=other)
        self.refused(f"SELECT * FROM {self.table('a int')}", "42501", session=other)


if __name__ == "__main__":
    unittest.main()
