-- Insert, update, delete and TRUNCATE of a table whose rows are told apart by a unique index.
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, tenant int NOT NULL, name text);
CREATE UNIQUE INDEX users_email ON users (tenant, email);
ALTER TABLE users REPLICA IDENTITY USING INDEX users_email;
-- stream
INSERT INTO users VALUES (1, 'a@x', 1, 'Ada'), (2, 'b@x', 1, 'Bob'), (3, 'a@x', 2, 'Cyd');
-- seal
UPDATE users SET name = 'Ada L.' WHERE id = 1;
-- The primary key is a column like any other here.
UPDATE users SET id = 30 WHERE id = 3;
UPDATE users SET email = 'bob@x' WHERE id = 2;
-- seal
DELETE FROM users WHERE tenant = 2;
-- seal
TRUNCATE users;
