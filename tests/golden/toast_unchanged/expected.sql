-- batch 1
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
CREATE SCHEMA IF NOT EXISTS "golden"."public";
CREATE TABLE "golden"."public"."pages" ("id" INTEGER, "views" INTEGER, "body" VARCHAR, "notes" VARCHAR);
INSERT INTO "golden"."public"."pages" SELECT CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3, c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b1-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 4422, buffer_size = 4194304);
DELETE FROM re_dms_internal.tables …;
INSERT INTO re_dms_internal.tables …;
INSERT INTO re_dms_internal.loads …;
DELETE FROM re_dms_internal.loads …;
DELETE FROM re_dms_internal.adjusted_values …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 6 rows loaded
-- batch 2
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."pages";
SELECT '' FROM "golden"."public"."pages" LIMIT 1 OFFSET 2048;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 38, buffer_size = 4194304)));
SELECT COLUMNS(*)::VARCHAR FROM (SELECT bool_or((s.op = 'R' OR substr(s.mask, 1, 1) = '1') AND t."id" IS DISTINCT FROM s.c1) AS w0, bool_or((s.op = 'R' OR substr(s.mask, 2, 1) = '1') AND t."views" IS DISTINCT FROM s.c2) AS w1, bool_or((s.op = 'R' OR substr(s.mask, 3, 1) = '1') AND t."body" IS DISTINCT FROM s.c3) AS w2, bool_or((s.op = 'R' OR substr(s.mask, 4, 1) = '1') AND t."notes" IS DISTINCT FROM s.c4) AS w3, bool_and((s.op = 'R' OR substr(s.mask, 1, 1) = '1')) AS a0, bool_and((s.op = 'R' OR substr(s.mask, 2, 1) = '1')) AS a1, bool_and((s.op = 'R' OR substr(s.mask, 3, 1) = '1')) AS a2, bool_and((s.op = 'R' OR substr(s.mask, 4, 1) = '1')) AS a3 FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 38, buffer_size = 4194304)) AS s JOIN "golden"."public"."pages" AS t ON t."id" = s.k1 WHERE s.op IN ('U', 'R'));
UPDATE "golden"."public"."pages" AS t SET "views" = s.c2, "body" = CASE WHEN (s.op = 'R' OR substr(s.mask, 3, 1) = '1') THEN s.c3 ELSE t."body" END, "notes" = CASE WHEN (s.op = 'R' OR substr(s.mask, 4, 1) = '1') THEN s.c4 ELSE t."notes" END FROM (SELECT op AS op, mask AS mask, CAST(k1 AS INTEGER) AS k1, CAST(c1 AS INTEGER) AS c1, CAST(c2 AS INTEGER) AS c2, c3 AS c3, c4 AS c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b2-l0-p0.csv.gz', columns = {'op': 'VARCHAR', 'mask': 'VARCHAR', 'k1': 'VARCHAR', 'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 38, buffer_size = 4194304)) AS s WHERE s.op IN ('U', 'R') AND t."id" = s.k1;
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 6 rows loaded
-- batch 3
SET TimeZone = 'UTC';
SELECT COLUMNS(*)::VARCHAR FROM (SELECT current_database());
BEGIN TRANSACTION;
SELECT COLUMNS(*)::VARCHAR FROM (SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() WHERE database_name = 'golden' GROUP BY ALL);
DESCRIBE "golden"."public"."pages";
INSERT INTO "golden"."public"."pages" SELECT CAST(c1 AS INTEGER), CAST(c2 AS INTEGER), c3, c4 FROM read_csv('/DIRECTORY/stage/7000000000000000001/golden/1-0/b3-l0-p0.csv.gz', columns = {'c1': 'VARCHAR', 'c2': 'VARCHAR', 'c3': 'VARCHAR', 'c4': 'VARCHAR'}, delim = ',', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\n', compression = 'gzip', parallel = false, max_line_size = 2224, buffer_size = 4194304);
INSERT INTO re_dms_internal.loads …;
UPDATE re_dms_internal.loads …;
UPDATE re_dms_internal.position …;
COMMIT;
-- 1 rows loaded
