-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."odd ""schema"" - é";
CREATE TABLE "golden"."odd ""schema"" - é"."select, 'x';" ("id ""1""" VARCHAR, "order" VARCHAR, "c1" VARCHAR, "op" VARCHAR, "naïve col" VARCHAR, "a.b" VARCHAR);
INSERT INTO "golden"."odd ""schema"" - é"."select, 'x';" SELECT c1, c2, c3, c4, c5, c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 74, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
DELETE FROM re_dms_internal.adjusted_values …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 5 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."odd ""schema"" - é"."select, 'x';";
SELECT '' FROM "golden"."odd ""schema"" - é"."select, 'x';" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, k1 AS k1, c1 AS c1, c2 AS c2, c3 AS c3, c4 AS c4, c5 AS c5, c6 AS c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 76, buffer_size = 4194304)));
DELETE FROM "golden"."odd ""schema"" - é"."select, 'x';" AS t USING (SELECT op AS op, mask AS mask, k1 AS k1, c1 AS c1, c2 AS c2, c3 AS c3, c4 AS c4, c5 AS c5, c6 AS c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 76, buffer_size = 4194304)) AS s WHERE s.op IN ('D') AND t."id ""1""" = s.k1;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id ""1""" IS DISTINCT FROM s.c1) AS w0, bool_or(t."order" IS DISTINCT FROM s.c2) AS w1, bool_or(t."c1" IS DISTINCT FROM s.c3) AS w2, bool_or(t."op" IS DISTINCT FROM s.c4) AS w3, bool_or(t."naïve col" IS DISTINCT FROM s.c5) AS w4, bool_or(t."a.b" IS DISTINCT FROM s.c6) AS w5 FROM (SELECT op AS op, mask AS mask, k1 AS k1, c1 AS c1, c2 AS c2, c3 AS c3, c4 AS c4, c5 AS c5, c6 AS c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 76, buffer_size = 4194304)) AS s JOIN "golden"."odd ""schema"" - é"."select, 'x';" AS t ON t."id ""1""" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."odd ""schema"" - é"."select, 'x';" AS t SET "id ""1""" = s.c1, "order" = s.c2 FROM (SELECT op AS op, mask AS mask, k1 AS k1, c1 AS c1, c2 AS c2, c3 AS c3, c4 AS c4, c5 AS c5, c6 AS c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 76, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id ""1""" = s.k1;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
