-- Insert, update, delete and TRUNCATE of a table whose key has several columns, not the first ones.
CREATE TABLE lines (note text, item int, orders int, amount int, PRIMARY KEY (orders, item));
-- stream
INSERT INTO lines VALUES ('a', 1, 1, 10), ('b', 2, 1, 20), ('c', 1, 2, 30);
-- seal
UPDATE lines SET amount = 0 WHERE orders = 1;
DELETE FROM lines WHERE orders = 2 AND item = 1;
-- seal
-- Half of a key changes; then both halves trade places between rows.
UPDATE lines SET item = 3 WHERE orders = 1 AND item = 2;
INSERT INTO lines VALUES ('d', 2, 1, 40), ('e', 1, 2, 50);
-- seal
TRUNCATE lines;
