-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('odd "schema" - é') AND lower(table_name) = lower('select, ''x'';'));
CREATE SCHEMA IF NOT EXISTS "golden"."odd ""schema"" - é";
CREATE TABLE "golden"."odd ""schema"" - é"."select, 'x';" ("id ""1""" VARCHAR, "order" VARCHAR, "c1" VARCHAR, "op" VARCHAR, "naïve col" VARCHAR, "a.b" VARCHAR);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('odd "schema" - é') AND lower(table_name) = lower('select, ''x'';'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('odd "schema" - é') AND lower(table_name) = lower('select, ''x'';') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."odd ""schema"" - é"."select, 'x';"));
INSERT INTO "golden"."odd ""schema"" - é"."select, 'x';" SELECT c1, c2, c3, c4, c5, c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 74, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 5 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT table_type FROM information_schema.tables WHERE table_catalog = 'golden' AND lower(table_schema) = lower('odd "schema" - é') AND lower(table_name) = lower('select, ''x'';'));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT index_name FROM duckdb_indexes() WHERE database_name = 'golden' AND lower(schema_name) = lower('odd "schema" - é') AND lower(table_name) = lower('select, ''x'';') ORDER BY 1 LIMIT 1);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT column_name, column_type FROM (DESCRIBE "golden"."odd ""schema"" - é"."select, 'x';"));
CREATE TEMPORARY TABLE re_dms_staged (op VARCHAR, mask VARCHAR, k1 VARCHAR, c1 VARCHAR, c2 VARCHAR, c3 VARCHAR, c4 VARCHAR, c5 VARCHAR, c6 VARCHAR);
INSERT INTO temp.main.re_dms_staged SELECT op, mask, k1, c1, c2, c3, c4, c5, c6 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR', 'c6': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 76, buffer_size = 4194304);
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM temp.main.re_dms_staged);
DELETE FROM "golden"."odd ""schema"" - é"."select, 'x';" AS t USING temp.main.re_dms_staged AS s WHERE s.op IN ('D', 'R') AND t."id ""1""" = s.k1;
INSERT INTO "golden"."odd ""schema"" - é"."select, 'x';" SELECT c1, c2, c3, c4, c5, c6 FROM temp.main.re_dms_staged WHERE op IN ('I', 'R');
DROP TABLE temp.main.re_dms_staged;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
