-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."lines" ("note" VARCHAR, "item" INTEGER, "orders" INTEGER, "amount" INTEGER);
INSERT INTO "golden"."public"."lines" SELECT c1, CAST(c2 AS INTEGER), CAST(c3 AS INTEGER), CAST(c4 AS INTEGER) FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 25, buffer_size = 4194304);
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
DESCRIBE "golden"."public"."lines";
SELECT '' FROM "golden"."public"."lines" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 37, buffer_size = 4194304)));
DELETE FROM "golden"."public"."lines" AS t USING (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 37, buffer_size = 4194304)) AS s WHERE s.op IN ('D') AND t."item" = s.k1 AND t."orders" = s.k2;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."note" IS DISTINCT FROM s.c1) AS w0, bool_or(t."item" IS DISTINCT FROM s.c2) AS w1, bool_or(t."orders" IS DISTINCT FROM s.c3) AS w2, bool_or(t."amount" IS DISTINCT FROM s.c4) AS w3 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 37, buffer_size = 4194304)) AS s JOIN "golden"."public"."lines" AS t ON t."item" = s.k1 AND t."orders" = s.k2 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."lines" AS t SET "amount" = s.c4 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 37, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."item" = s.k1 AND t."orders" = s.k2;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
-- batch 3
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."lines";
SELECT '' FROM "golden"."public"."lines" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."note" IS DISTINCT FROM s.c1) AS w0, bool_or(t."item" IS DISTINCT FROM s.c2) AS w1, bool_or(t."orders" IS DISTINCT FROM s.c3) AS w2, bool_or(t."amount" IS DISTINCT FROM s.c4) AS w3 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s JOIN "golden"."public"."lines" AS t ON t."item" = s.k1 AND t."orders" = s.k2 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."lines" AS t SET "item" = s.c2 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."item" = s.k1 AND t."orders" = s.k2;
INSERT INTO "golden"."public"."lines" SELECT s.c1, s.c2, s.c3, s.c4 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(k2 AS INTEGER) AS k2, c1 AS c1, CAST(c2 AS INTEGER) AS c2, CAST(c3 AS INTEGER) AS c3, CAST(c4 AS INTEGER) AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 36, buffer_size = 4194304)) AS s WHERE s.op IN ('I');
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 3 rows loaded
-- batch 4
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."lines";
DELETE FROM "golden"."public"."lines";
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 0 rows loaded
