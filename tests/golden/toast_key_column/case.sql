-- The key itself is a long value: PostgreSQL sends it as the old key when it did not change.
CREATE TABLE files (path text PRIMARY KEY, size int);
ALTER TABLE files ALTER path SET STORAGE EXTERNAL;
-- stream
INSERT INTO files VALUES (repeat('p1', 1100), 1), (repeat('p2', 1100), 2), ('short', 3);
-- seal
UPDATE files SET size = 10 WHERE size = 1;
UPDATE files SET path = 'moved', size = 20 WHERE size = 2;
UPDATE files SET path = repeat('p3', 1100) WHERE size = 3;
-- seal
DELETE FROM files WHERE size = 10;
UPDATE files SET size = 30 WHERE size = 3;
