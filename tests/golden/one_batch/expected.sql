-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."t" ("id" INTEGER, "v" VARCHAR);
INSERT INTO "golden"."public"."t" SELECT CAST(c1 AS INTEGER), c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 22, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
DELETE FROM re_dms_internal.adjusted_values …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 4 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."t";
SELECT '' FROM "golden"."public"."t" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304)));
DELETE FROM "golden"."public"."t" AS t USING (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304)) AS s WHERE s.op IN ('D') AND t."id" = s.k1;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id" IS DISTINCT FROM s.c1) AS w0, bool_or(t."v" IS DISTINCT FROM s.c2) AS w1 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304)) AS s JOIN "golden"."public"."t" AS t ON t."id" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."t" AS t SET "v" = s.c2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id" = s.k1;
INSERT INTO "golden"."public"."t" SELECT s.c1, s.c2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 52, buffer_size = 4194304)) AS s WHERE s.op IN ('I');
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 6 rows loaded
