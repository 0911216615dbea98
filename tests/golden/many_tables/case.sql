-- One batch holds several tables, of two schemas, and one TRUNCATE of two of them.
CREATE SCHEMA shop;
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int);
CREATE TABLE shop.items (id int PRIMARY KEY, name text);
-- stream
BEGIN;
INSERT INTO customers VALUES (1, 'Ada');
INSERT INTO shop.orders VALUES (1, 1), (2, 1);
INSERT INTO shop.items VALUES (1, 'bolt');
COMMIT;
-- seal
BEGIN;
UPDATE shop.orders SET customer = 2 WHERE id = 2;
INSERT INTO customers VALUES (2, 'Bob');
TRUNCATE shop.orders, shop.items;
INSERT INTO shop.orders VALUES (3, 2);
DELETE FROM customers WHERE id = 1;
COMMIT;
