#!/usr/bin/python3
"""Goal: INSERT, UPDATE, DELETE, MERGE and queries are read as Redshift reads them."""

import unittest

from case import StandinCase, rule


class DmlTest(StandinCase):
    def pair(self):
        """A table with rows 1 and 2, and a source with rows 2 and 3."""
        target, source = self.table("id int, v varchar(9)"), self.table("id int, v varchar(9)")
        self.sql(f"INSERT INTO {target} VALUES (1, 'old'), (2, 'old')")
        self.sql(f"INSERT INTO {source} VALUES (2, 'new'), (3, 'new')")
        return target, source

    def rows(self, table):
        return self.sql(f"SELECT * FROM {table} ORDER BY 1, 2")

    @rule(51)
    def test_what_sql_lacks(self):
        target, source = self.pair()
        for sql in (f"INSERT INTO {target} VALUES (1, 'x') ON CONFLICT DO NOTHING", f"INSERT INTO {target} VALUES"
                                                                                    f" (1, 'x') RETURNING id",
                    f"DELETE FROM {target} WHERE id = 9 RETURNING id", f"WITH d AS (DELETE FROM {target}) SELECT 1",
                    "SELECT * FROM (VALUES (1), (2)) AS v", f"SELECT * FROM {target} WHERE v IS DISTINCT FROM 'x'",
                    f"SELECT * FROM {target} WHERE v IS NOT DISTINCT FROM 'x'",
                    f"SELECT * FROM {target} t, LATERAL (SELECT t.id) AS l", f"SELECT count(*) FILTER (WHERE id > 1)"
                                                                             f" FROM {target}",
                    f"TABLE {target}", "VALUES (1)", "DO $$ BEGIN END $$", f"INSERT {target} VALUES (1)"):
            self.refused(sql, "42601", 51)
        self.refused(f"SELECT g FROM generate_series(1, 3) g, {target}", "0A000", 51)
        self.refused(f"INSERT INTO {target} SELECT g, 'x' FROM generate_series(1, 3) g", "0A000", 51)
        self.assertEqual(3, len(self.sql("SELECT g FROM generate_series(1, 3) AS g")))
        for call in ("string_agg(v, ',')", "array_agg(id)", "format('%s', v)", "regexp_matches(v, 'x')"):
            self.refused(f"SELECT {call} FROM {target}", "42883", 51)
        for operator in ("id -> 1", "v @> 'x'", "id <@ 1", "v ? 'x'"):
            self.refused(f"SELECT {operator} FROM {target}", "42883", 51)
        self.refused(f"SELECT * FROM {target} FOR UPDATE", "0A000", 51)
        self.refused(f"SELECT sum(id) OVER (ORDER BY id) FROM {target}", "42601", 51, "require a frame clause")
        self.sql(f"SELECT sum(id) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING), row_number() OVER (ORDER BY id) FROM"
                 f" {target}")
        for sql in ("SELECT DISTINCT ON (id) id FROM", "SELECT ARRAY[id] FROM", "SELECT 1 FETCH FIRST 1 ROWS ONLY"):
            self.refused(f"{sql} {target}", "42601", 51)
        for call in ("pg_sleep(1)", "pg_advisory_lock(1)", "clock_timestamp()", "gen_random_uuid()",
                     "convert_to('x', 'UTF8')"):
            self.refused(f"SELECT {call}", "42883", 51)
        self.refused(f"INSERT INTO {target} VALUES (1, 'x'), (2, (SELECT 'y'))", "0A000", 51)
        self.assertEqual([["1", "old"], ["2", "old"]], self.rows(target))
        self.assertEqual(2, len(self.rows(source)))

    def test_with_before_dml(self):
        target, _ = self.pair()
        for sql in (f"DELETE FROM {target}", f"UPDATE {target} t SET t.v = 'x'", f"INSERT INTO {target} SELECT 1"):
            self.refused(f"WITH w AS (SELECT 1) {sql}", "0A000", 0, "the stand-in knows no WITH")
        self.assertEqual([["1"]], self.sql("WITH w AS (SELECT 1 AS a) SELECT a FROM w"))

    def test_what_sql_has(self):
        target, source = self.pair()
        self.sql(f"INSERT INTO {target} VALUES (5)")
        self.sql(f"INSERT INTO {target} (id, v) SELECT id, v FROM {source} WHERE NOT EXISTS (SELECT 1 FROM {target} t"
                 f" WHERE t.id = {source}.id)")
        self.sql(f"INSERT INTO {target} WITH x AS (SELECT 7 AS id) SELECT id, 'w' FROM x")
        self.assertEqual([["1", "old"], ["2", "old"], ["3", "new"], ["5", None], ["7", "w"]], self.rows(target))
        self.sql(f"DELETE FROM {target} USING {source} WHERE {target}.id = {source}.id")
        self.sql(f"DELETE {target} WHERE id = 7")
        self.sql(f'UPDATE {target} SET "v" = s."v" FROM {source} s WHERE {target}.id + 1 = s.id')
        self.sql(f"UPDATE {target} t SET v = NVL(t.v, 'null')")
        self.assertEqual([["1", "new"], ["5", "null"]], self.rows(target))
        self.assertEqual([["1"]], self.sql(
            f"SELECT x.id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY v ORDER BY id) AS n FROM {target}) AS x"
            " WHERE x.n = 1 ORDER BY 1 LIMIT 1"))
        self.sql(f"CREATE OR REPLACE VIEW v_{target} AS SELECT id FROM {target} UNION ALL SELECT id FROM {source}")
        self.assertEqual("4", self.value(f"SELECT count(*) FROM v_{target}"))
        self.assertEqual("1", self.value("SELECT DATEDIFF(day, GETDATE(), DATEADD(day, 1, GETDATE()))"))

    @rule(52)
    def test_merge_grammar(self):
        target, source = self.pair()
        update = "WHEN MATCHED THEN UPDATE SET v = s.v"
        insert = "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)"
        head = f"MERGE INTO {target} USING {source} s ON {target}.id = s.id"
        for sql in (f"{head} {update}", f"{head} {insert}", f"{head} WHEN MATCHED AND s.id > 1 THEN DELETE {insert}",
                    f"{head} WHEN MATCHED THEN DO NOTHING {insert}", f"{head} {update} WHEN MATCHED THEN DELETE"
                                                                     f" {insert}",
                    f"{head} {update} WHEN NOT MATCHED THEN DO NOTHING", f"{head} {insert} {update}",
                    f"MERGE INTO {target} t USING {source} s ON t.id = s.id {update} {insert}",
                    f"MERGE INTO {target} AS t USING {source} s ON t.id = s.id {update} {insert}",
                    f"{head} WHEN MATCHED THEN UPDATE SET {target}.v = s.v {insert}"):
            self.refused(sql, "42601", 52)
        for sql in (f"MERGE INTO {target} USING {source} s ON {target}.id > s.id {update} {insert}",
                    f"MERGE INTO {target} USING {source} s ON {target}.id = s.id OR s.id IS NULL {update} {insert}",
                    f"MERGE INTO {target} USING {target} s ON {target}.id = s.id {update} {insert}",
                    f"MERGE INTO {target} USING (SELECT * FROM {target}) s ON {target}.id = s.id {update} {insert}"):
            self.refused(sql, "0A000", 52)
        self.sql(f"{head} {update} {insert}")
        self.assertEqual([["1", "old"], ["2", "new"], ["3", "new"]], self.rows(target))
        self.sql(f"{head} AND {target}.v = s.v WHEN MATCHED THEN DELETE {insert}")
        self.assertEqual([["1", "old"]], self.rows(target))

    @rule(53)
    def test_merge_with_several_matches(self):
        target, source = self.pair()
        self.sql(f"INSERT INTO {source} VALUES (2, 'again')")
        self.refused(f"MERGE INTO {target} USING {source} s ON {target}.id = s.id WHEN MATCHED THEN UPDATE SET v ="
                     f" s.v WHEN"
                     " NOT MATCHED THEN INSERT VALUES (s.id, s.v)", "XX000", None,
                     "Found multiple matches to update the same tuple.")

    @rule(54)
    def test_merge_remove_duplicates(self):
        target, source = self.pair()
        merge = f"MERGE INTO {target} USING {source} ON {target}.id = {source}.id REMOVE DUPLICATES"
        self.sql(f"INSERT INTO {source} VALUES (3, 'new')")
        (result,) = self.session.query(merge)
        self.assertEqual("MERGE", result.tag)
        self.assertEqual([["1", "old"], ["2", "new"], ["3", "new"], ["3", "new"]], self.rows(target))
        self.refused(merge + " WHEN MATCHED THEN DELETE", "42601", 54)
        other = self.table("v varchar(9), id int")
        self.refused(f"MERGE INTO {target} USING {other} ON {target}.id = {other}.id REMOVE DUPLICATES", "42804", 54)

    @rule(55)
    def test_delete_and_update_grammar(self):
        target, source = self.pair()
        for sql in (f"DELETE FROM {target} t WHERE t.id = 1", f"DELETE FROM {target} AS t USING {source} s WHERE"
                                                              f" t.id = s.id",
                    f"DELETE FROM {target} USING (SELECT * FROM {source}) s WHERE {target}.id = s.id",
                    f"DELETE {target} USING {source} WHERE {target}.id = {source}.id",
                    f"UPDATE {target} SET {target}.v = 'x'", f"UPDATE {target} t SET t.v = 'x'",
                    f"UPDATE {target} SET (id, v) = (1, 'x')", f"UPDATE ONLY {target} t SET v = 'x'"):
            self.refused(sql, "42601", 55)
        self.refused(f"UPDATE {target} SET v = s.v FROM {source} s LEFT JOIN {target} t2 ON t2.id = s.id"
                     f" WHERE {target}.id = s.id", "0A000", 55, "Target table must be part of an equijoin predicate")
        self.assertEqual([["1", "old"], ["2", "old"]], self.rows(target))

    @rule(56)
    def test_update_with_several_matches(self):
        target, source = self.pair()
        self.sql(f"INSERT INTO {source} VALUES (2, 'again')")
        update = f"UPDATE {target} SET v = s.v FROM {source} s WHERE {target}.id = s.id"
        (result,) = self.session.query(update)
        self.assertEqual("UPDATE 1", result.tag)
        self.sql("SET error_on_nondeterministic_update TO true")
        self.refused(update, "XX000", None, "Found multiple matches to update the same tuple.")
        self.refused(f"UPDATE {target} AS t SET v = s.v FROM {source} s WHERE t.id = s.id", "XX000")
        self.sql(f"DELETE FROM {source} WHERE v = 'again'")
        self.sql(update)

    @rule(57)
    def test_truncate_commits(self):
        target, source = self.pair()
        self.sql("BEGIN")
        self.sql(f"INSERT INTO {target} VALUES (9, 'kept')")
        self.sql(f"TRUNCATE {source}")
        self.assertEqual(b"I", self.session.state)
        self.sql("ROLLBACK")
        self.assertEqual(3, len(self.rows(target)))
        self.assertEqual([], self.rows(source))
        self.refused(f"TRUNCATE {target}, {source}", "42601", 57)


if __name__ == "__main__":
    unittest.main()
