-- Names and values that SQL, CSV or the journal could take for something else.
CREATE SCHEMA "odd ""schema"" - é";
CREATE TABLE "odd ""schema"" - é"."select, 'x';" (
  "id ""1""" text PRIMARY KEY, "order" text, "c1" text, "op" text, "naïve col" text, "a.b" text);
-- stream
INSERT INTO "odd ""schema"" - é"."select, 'x';" VALUES
  ('it''s', 'a,b', 'a"b', 'a;b', 'a''b', E'a\\b'),
  (E'two\nlines', E'carriage\rreturn', E'both\r\n', E'tab\there', E'\n', E'\r'),
  (' leading', 'trailing ', ' ', '  ', '"', '""'),
  ('é ü 日本 😀', E'\uFEFFmark', '--', '/* */', '$1', '{}'),
  (E'\\', E'\\.', 'true', '-1', '''; DROP TABLE x; --', E'\x01\x7f');
-- seal
UPDATE "odd ""schema"" - é"."select, 'x';" SET "order" = upper("order") WHERE "id ""1""" = 'it''s';
UPDATE "odd ""schema"" - é"."select, 'x';" SET "id ""1""" = E'moved\n"' WHERE "id ""1""" = ' leading';
DELETE FROM "odd ""schema"" - é"."select, 'x';" WHERE "id ""1""" = E'two\nlines';
