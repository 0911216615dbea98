-- Columns are added: without a value for old rows, with one, with one that is no plain text.
CREATE TABLE t (id int PRIMARY KEY, v text);
-- stream
INSERT INTO t VALUES (1, 'old'), (2, 'old');
ALTER TABLE t ADD COLUMN plain int;
UPDATE t SET plain = 1 WHERE id = 1;
-- seal
ALTER TABLE t ADD COLUMN filled text DEFAULT 'it''s "here", \N', ADD COLUMN day date DEFAULT '2024-02-29';
INSERT INTO t VALUES (3, 'new', 3, DEFAULT, '2025-01-01');
UPDATE t SET filled = NULL WHERE id = 2;
