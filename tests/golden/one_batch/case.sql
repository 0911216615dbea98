-- Many changes of a row in one batch become one: every pair of insert, update and delete.
CREATE TABLE t (id int PRIMARY KEY, v text);
-- stream
INSERT INTO t SELECT i, 'old' FROM generate_series(1, 4) i;
-- seal
INSERT INTO t VALUES (10, 'a');
UPDATE t SET v = 'insert, update' WHERE id = 10;
INSERT INTO t VALUES (11, 'insert, delete');
DELETE FROM t WHERE id = 11;
INSERT INTO t VALUES (12, 'a');
DELETE FROM t WHERE id = 12;
INSERT INTO t VALUES (12, 'insert, delete, insert');
UPDATE t SET v = 'a' WHERE id = 1;
UPDATE t SET v = 'update, update' WHERE id = 1;
UPDATE t SET v = 'update, delete' WHERE id = 2;
DELETE FROM t WHERE id = 2;
DELETE FROM t WHERE id = 3;
INSERT INTO t VALUES (3, 'delete, insert');
DELETE FROM t WHERE id = 4;
INSERT INTO t VALUES (4, 'a');
DELETE FROM t WHERE id = 4;
