-- Long values that did not change are not sent: NULL, empty and unchanged stay three things.
CREATE TABLE pages (id int PRIMARY KEY, views int, body text, notes text);
ALTER TABLE pages ALTER body SET STORAGE EXTERNAL, ALTER notes SET STORAGE EXTERNAL;
-- stream
INSERT INTO pages SELECT i, 0, repeat('b' || i, 1100), repeat('n' || i, 1100) FROM generate_series(1, 6) i;
-- seal
UPDATE pages SET views = 1 WHERE id = 1;
UPDATE pages SET notes = 'short' WHERE id = 2;
UPDATE pages SET body = NULL WHERE id = 3;
UPDATE pages SET body = '' WHERE id = 4;
UPDATE pages SET body = 'x', notes = 'y' WHERE id = 5;
-- Different columns in two changes of one batch.
UPDATE pages SET body = 'first' WHERE id = 6;
UPDATE pages SET views = 6 WHERE id = 6;
-- seal
-- Inserted and changed in one batch: the long value is known from the insert.
INSERT INTO pages VALUES (7, 0, repeat('b7', 1100), NULL);
UPDATE pages SET views = 7 WHERE id = 7;
