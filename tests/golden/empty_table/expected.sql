-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('empty'));
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."empty" ("id" BIGINT, "name" VARCHAR, "price" DECIMAL(8,2), "tags" VARCHAR);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('empty'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('empty') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."empty"));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('filled'));
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."filled" ("id" INTEGER);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('public') AND lower(table_name) = lower('filled'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('public') AND lower(table_name) = lower('filled') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."public"."filled"));
INSERT INTO "golden"."public"."filled" SELECT CAST(c1 AS INTEGER) FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l1-p0.csv.gz', columns = {'c1': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 18, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
