-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."pages" ("id" INTEGER, "views" INTEGER, "body" VARCHAR);
INSERT INTO "golden"."public"."pages" SELECT CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 2221, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
DELETE FROM re_dms_internal.adjusted_values …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."pages";
SELECT '', CAST("id" AS VARCHAR), CAST("views" AS VARCHAR) FROM "golden"."public"."pages" WHERE "id" = CAST('1' AS INTEGER);
UPDATE "golden"."public"."pages" SET "id" = CAST('11' AS INTEGER) WHERE "id" = CAST('1' AS INTEGER);
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
-- batch 3
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."pages";
INSERT INTO "golden"."public"."pages" SELECT CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 2222, buffer_size = 4194304);
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
-- batch 4
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."pages";
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 31, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or((s.op = 'R' OR substr(s.mask, 1, 1) = '1') AND s.c1 IS DISTINCT FROM s.k1) AS w0, true AS w1, false AS w2, bool_and((s.op = 'R' OR substr(s.mask, 1, 1) = '1')) AS a0, bool_and((s.op = 'R' OR substr(s.mask, 2, 1) = '1')) AS a1, bool_and((s.op = 'R' OR substr(s.mask, 3, 1) = '1')) AS a2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 31, buffer_size = 4194304)) AS s  WHERE s.op IN ('U'));
UPDATE "golden"."public"."pages" AS t SET "id" = s.c1, "views" = s.c2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 31, buffer_size = 4194304)) AS s WHERE s.op IN ('U') AND t."id" = s.k1;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 2 rows loaded
