-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('pages'));
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."pages" ("id" INTEGER, "views" INTEGER, "body" VARCHAR);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('pages'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('pages') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."pages"));
INSERT INTO "golden"."public"."pages" SELECT CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 2221, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('pages'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('pages') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."pages"));
CREATE TEMPORARY TABLE re_dms_staged (op VARCHAR, mask VARCHAR, k1 INTEGER, c1 INTEGER, c2 INTEGER, c3 VARCHAR);
INSERT INTO temp.main.re_dms_staged SELECT op, mask, CAST(k1 AS INTEGER), CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 32, buffer_size = 4194304);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM temp.main.re_dms_staged);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_and(substr(mask, 1, 1) = '1') AS a0, bool_and(substr(mask, 2, 1) = '1') AS a1, bool_and(substr(mask, 3, 1) = '1') AS a2, bool_or(substr(mask, 1, 1) = '1' AND c1 IS DISTINCT FROM k1) AS m0 FROM temp.main.re_dms_staged WHERE op = 'U');
UPDATE "golden"."public"."pages" AS t SET "id" = s.c1, "views" = s.c2 FROM temp.main.re_dms_staged AS s WHERE s.op = 'U' AND t."id" = s.k1;
DROP TABLE temp.main.re_dms_staged;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
-- batch 3
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('pages'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('pages') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."pages"));
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
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('pages'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('pages') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."pages"));
CREATE TEMPORARY TABLE re_dms_staged (op VARCHAR, mask VARCHAR, k1 INTEGER, c1 INTEGER, c2 INTEGER, c3 VARCHAR);
INSERT INTO temp.main.re_dms_staged SELECT op, mask, CAST(k1 AS INTEGER), CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 31, buffer_size = 4194304);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM temp.main.re_dms_staged);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_and(substr(mask, 1, 1) = '1') AS a0, bool_and(substr(mask, 2, 1) = '1') AS a1, bool_and(substr(mask, 3, 1) = '1') AS a2, bool_or(substr(mask, 1, 1) = '1' AND c1 IS DISTINCT FROM k1) AS m0 FROM temp.main.re_dms_staged WHERE op = 'U');
UPDATE "golden"."public"."pages" AS t SET "id" = s.c1, "views" = s.c2 FROM temp.main.re_dms_staged AS s WHERE s.op = 'U' AND t."id" = s.k1;
DROP TABLE temp.main.re_dms_staged;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 2 rows loaded
