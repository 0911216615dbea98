-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."users" ("id" INTEGER, "email" VARCHAR, "tenant" INTEGER, "name" VARCHAR);
INSERT INTO "golden"."public"."users" SELECT CAST(c1 AS INTEGER), c2, CAST(c3 AS INTEGER), c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 28, buffer_size = 4194304);
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
DESCRIBE "golden"."public"."users";
SELECT '' FROM "golden"."public"."users" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, k1 AS k1, CAST(k2 AS INTEGER) AS k2, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 42, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id" IS DISTINCT FROM s.c1) AS w0, bool_or(t."email" IS DISTINCT FROM s.c2) AS w1, bool_or(t."tenant" IS DISTINCT FROM s.c3) AS w2, bool_or(t."name" IS DISTINCT FROM s.c4) AS w3 FROM (SELECT op AS op, mask AS mask, k1 AS k1, CAST(k2 AS INTEGER) AS k2, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 42, buffer_size = 4194304)) AS s JOIN "golden"."public"."users" AS t ON t."email" = s.k1 AND t."tenant" = s.k2 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."users" AS t SET "id" = s.c1, "email" = s.c2, "name" = s.c4 FROM (SELECT op AS op, mask AS mask, k1 AS k1, CAST(k2 AS INTEGER) AS k2, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 42, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."email" = s.k1 AND t."tenant" = s.k2;
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
DESCRIBE "golden"."public"."users";
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, k1 AS k1, CAST(k2 AS INTEGER) AS k2, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 39, buffer_size = 4194304)));
DELETE FROM "golden"."public"."users" AS t USING (SELECT op AS op, mask AS mask, k1 AS k1, CAST(k2 AS INTEGER) AS k2, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'k2': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 39, buffer_size = 4194304)) AS s WHERE s.op IN ('D', 'R') AND t."email" = s.k1 AND t."tenant" = s.k2;
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
DESCRIBE "golden"."public"."users";
DELETE FROM "golden"."public"."users";
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 0 rows loaded
