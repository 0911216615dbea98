-- A key changes in a row with long values that are not sent: with an earlier image and without.
CREATE TABLE pages (id int PRIMARY KEY, views int, body text);
ALTER TABLE pages ALTER body SET STORAGE EXTERNAL;
-- stream
INSERT INTO pages SELECT i, 0, repeat('b' || i, 1100) FROM generate_series(1, 3) i;
-- seal
-- The target has to keep what it has, in place.
UPDATE pages SET id = 11 WHERE id = 1;
-- seal
INSERT INTO pages VALUES (4, 0, repeat('b4', 1100));
UPDATE pages SET id = 14, views = 1 WHERE id = 4;
-- seal
-- A swap of two rows whose bodies nobody sent.
BEGIN;
UPDATE pages SET id = 0 WHERE id = 2;
UPDATE pages SET id = 2 WHERE id = 3;
UPDATE pages SET id = 3 WHERE id = 0;
COMMIT;
