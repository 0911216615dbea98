-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."empty" ("id" BIGINT, "name" VARCHAR, "price" DECIMAL(8,2), "tags" VARCHAR);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."filled" ("id" INTEGER);
INSERT INTO "golden"."public"."filled" SELECT CAST(c1 AS INTEGER) FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l1-p0.csv.gz', columns = {'c1': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 18, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
DELETE FROM re_dms_internal.adjusted_values …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
