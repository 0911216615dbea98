-- A table without rows is created in the target all the same, with the first batch of any table.
CREATE TABLE empty (id bigint PRIMARY KEY, name text NOT NULL, price numeric(8,2), tags text[]);
CREATE TABLE filled (id int PRIMARY KEY);
-- stream
INSERT INTO filled VALUES (1);
