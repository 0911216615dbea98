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
-- 2 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
ALTER TABLE "golden"."public"."t" ADD COLUMN "plain" INTEGER;
DESCRIBE "golden"."public"."t";
SELECT '' FROM "golden"."public"."t" LIMIT 1 OFFSET 2048;
SELECT '', CAST("id" AS VARCHAR), CAST("v" IS NOT DISTINCT FROM 'old' AS VARCHAR), CAST("plain" AS VARCHAR) FROM "golden"."public"."t" WHERE "id" = CAST('1' AS INTEGER);
UPDATE "golden"."public"."t" SET "plain" = CAST('1' AS INTEGER) WHERE "id" = CAST('1' AS INTEGER);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
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
CREATE TABLE "golden"."public"."re_dms_rebuild_16384" AS SELECT *, CAST('it''s "here", \N' AS VARCHAR) AS "filled", CAST(CASE WHEN '2024-02-29' LIKE '% BC' THEN CAST(regexp_replace('2024-02-29', '^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\1 (BC)\2') AS DATE) ELSE CAST('2024-02-29' AS DATE) END AS DATE) AS "day" FROM "golden"."public"."t";
DROP TABLE "golden"."public"."t";
ALTER TABLE "golden"."public"."re_dms_rebuild_16384" RENAME TO "t";
DESCRIBE "golden"."public"."t";
SELECT '' FROM "golden"."public"."t" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4, CASE WHEN c5 LIKE '% BC' THEN CAST(regexp_replace(c5, '^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\1 (BC)\2') AS DATE) ELSE CAST(c5 AS DATE) END AS c5 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 63, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or(t."id" IS DISTINCT FROM s.c1) AS w0, bool_or(t."v" IS DISTINCT FROM s.c2) AS w1, bool_or(t."plain" IS DISTINCT FROM s.c3) AS w2, bool_or(t."filled" IS DISTINCT FROM s.c4) AS w3, bool_or(t."day" IS DISTINCT FROM s.c5) AS w4 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4, CASE WHEN c5 LIKE '% BC' THEN CAST(regexp_replace(c5, '^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\1 (BC)\2') AS DATE) ELSE CAST(c5 AS DATE) END AS c5 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 63, buffer_size = 4194304)) AS s JOIN "golden"."public"."t" AS t ON t."id" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."t" AS t SET "filled" = s.c4 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4, CASE WHEN c5 LIKE '% BC' THEN CAST(regexp_replace(c5, '^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\1 (BC)\2') AS DATE) ELSE CAST(c5 AS DATE) END AS c5 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 63, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id" = s.k1;
INSERT INTO "golden"."public"."t" SELECT s.c1, s.c2, s.c3, s.c4, s.c5 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, c2 AS c2, CAST(c3 AS INTEGER) AS c3, c4 AS c4, CASE WHEN c5 LIKE '% BC' THEN CAST(regexp_replace(c5, '^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\1 (BC)\2') AS DATE) ELSE CAST(c5 AS DATE) END AS c5 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR', 'c5': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 63, buffer_size = 4194304)) AS s WHERE s.op IN ('I');
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 2 rows loaded
