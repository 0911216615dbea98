-- A key changes, alone and together with other changes of the row in the same batch.
CREATE TABLE accounts (id int PRIMARY KEY, owner text, balance int);
-- stream
INSERT INTO accounts SELECT i, 'owner ' || i, 0 FROM generate_series(1, 6) i;
-- seal
UPDATE accounts SET id = 11 WHERE id = 1;
-- Changed before and after the move.
UPDATE accounts SET balance = 2 WHERE id = 2;
UPDATE accounts SET id = 12 WHERE id = 2;
UPDATE accounts SET owner = 'moved' WHERE id = 12;
-- Moved twice, moved and deleted, moved and back.
UPDATE accounts SET id = 23 WHERE id = 3;
UPDATE accounts SET id = 13 WHERE id = 23;
UPDATE accounts SET id = 14 WHERE id = 4;
DELETE FROM accounts WHERE id = 14;
UPDATE accounts SET id = 15 WHERE id = 5;
UPDATE accounts SET id = 5 WHERE id = 15;
-- The key that became free is taken by a new row.
UPDATE accounts SET id = 16 WHERE id = 6;
INSERT INTO accounts VALUES (6, 'new', 6);
