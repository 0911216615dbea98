-- What was rolled back is never seen: a savepoint, nested ones, a whole transaction.
CREATE TABLE t (id int PRIMARY KEY, v text);
-- stream
BEGIN;
INSERT INTO t VALUES (1, 'kept');
SAVEPOINT a;
INSERT INTO t VALUES (2, 'rolled back');
UPDATE t SET v = 'rolled back' WHERE id = 1;
SAVEPOINT b;
DELETE FROM t;
ROLLBACK TO a;
INSERT INTO t VALUES (3, 'kept');
SAVEPOINT c;
UPDATE t SET v = 'kept too' WHERE id = 3;
RELEASE c;
COMMIT;
BEGIN;
DELETE FROM t;
TRUNCATE t;
ROLLBACK;
