-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('t'));
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."t" ("id" INTEGER, "v" VARCHAR);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('t'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('t') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."t"));
INSERT INTO "golden"."public"."t" SELECT CAST(c1 AS INTEGER), c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 22, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 4 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('t'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('t') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."t"));
CREATE TEMPORARY TABLE re_dms_staged (op VARCHAR, mask VARCHAR, k1 INTEGER, c1 INTEGER, c2 VARCHAR);
INSERT INTO temp.main.re_dms_staged SELECT op, mask, CAST(k1 AS INTEGER), CAST(c1 AS INTEGER), c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM temp.main.re_dms_staged);
DELETE FROM "golden"."public"."t" AS t USING temp.main.re_dms_staged AS s WHERE s.op IN ('D', 'R') AND t."id" = s.k1;
INSERT INTO "golden"."public"."t" SELECT c1, c2 FROM temp.main.re_dms_staged WHERE op IN ('I', 'R');
DROP TABLE temp.main.re_dms_staged;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 6 rows loaded
