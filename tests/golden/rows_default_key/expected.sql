-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."orders" ("id" INTEGER, "customer" VARCHAR, "amount" DECIMAL(10,2));
INSERT INTO "golden"."public"."orders" SELECT CAST(c1 AS INTEGER), c2, CAST(c3 AS DECIMAL(10,2)) FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 28, buffer_size = 4194304);
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
DESCRIBE "golden"."public"."orders";
SELECT '' FROM "golden"."public"."orders" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 35, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id" IS DISTINCT FROM s.c1) AS w0, bool_or(t."customer" IS DISTINCT FROM s.c2) AS w1, bool_or(t."amount" IS DISTINCT FROM s.c3) AS w2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 35, buffer_size = 4194304)) AS s JOIN "golden"."public"."orders" AS t ON t."id" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."orders" AS t SET "amount" = s.c3 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 35, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id" = s.k1;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 2 rows loaded
-- batch 3
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."orders";
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 32, buffer_size = 4194304)));
DELETE FROM "golden"."public"."orders" AS t USING (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 32, buffer_size = 4194304)) AS s WHERE s.op IN ('D', 'R') AND t."id" = s.k1;
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
DESCRIBE "golden"."public"."orders";
SELECT '' FROM "golden"."public"."orders" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)));
DELETE FROM "golden"."public"."orders" AS t USING (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s WHERE s.op IN ('D') AND t."id" = s.k1;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id" IS DISTINCT FROM s.c1) AS w0, bool_or(t."customer" IS DISTINCT FROM s.c2) AS w1, bool_or(t."amount" IS DISTINCT FROM s.c3) AS w2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s JOIN "golden"."public"."orders" AS t ON t."id" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."orders" AS t SET "customer" = s.c2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id" = s.k1;
INSERT INTO "golden"."public"."orders" SELECT s.c1, s.c2, s.c3 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS DECIMAL(10,2)) AS c3 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b4-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s WHERE s.op IN ('I');
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
-- batch 5
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."orders";
DELETE FROM "golden"."public"."orders";
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 0 rows loaded
-- batch 6
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."orders";
DELETE FROM "golden"."public"."orders";
INSERT INTO "golden"."public"."orders" SELECT CAST(c1 AS INTEGER), c2, CAST(c3 AS DECIMAL(10,2)) FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b6-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 29, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
