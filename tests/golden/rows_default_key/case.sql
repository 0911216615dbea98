-- Insert, update, delete and TRUNCATE of a table with a primary key, each in a batch of its own.
CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric(10,2));
-- stream
INSERT INTO orders VALUES (1, 'Ada', 10), (2, 'Bob', 20.5), (3, NULL, NULL), (4, 'Dan', 0);
-- seal
UPDATE orders SET amount = amount + 1 WHERE id <= 2;
-- seal
DELETE FROM orders WHERE id = 3;
-- seal
BEGIN;
UPDATE orders SET customer = 'Eve' WHERE id = 1;
DELETE FROM orders WHERE id = 2;
INSERT INTO orders VALUES (5, 'Fay', 50);
COMMIT;
-- seal
TRUNCATE orders;
-- seal
BEGIN;
INSERT INTO orders VALUES (1, 'before', 1);
TRUNCATE orders;
INSERT INTO orders VALUES (1, 'after', 2);
COMMIT;
