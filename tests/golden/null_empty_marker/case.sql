-- NULL, the empty text and texts that look like either; in keys too.
CREATE TABLE t (k text PRIMARY KEY, v text);
-- stream
INSERT INTO t VALUES ('', ''), (E'\\N', E'\\N'), ('NULL', 'NULL'), ('null', NULL), ('\\N', '""'),
  ('""', ''), ('nan', E'\\');
-- seal
UPDATE t SET v = NULL WHERE k = '';
UPDATE t SET v = '' WHERE k = 'null';
UPDATE t SET k = E'\\n' WHERE k = E'\\N';
DELETE FROM t WHERE k = '""';
