-- Keys trade places, form a circle and move up in a row: as statements and row by row.
CREATE TABLE seats (seat int PRIMARY KEY, guest text);
CREATE TABLE queue (place int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, guest text);
-- PostgreSQL takes no deferrable constraint as replica identity, so an index serves.
ALTER TABLE queue ADD COLUMN ticket int NOT NULL;
CREATE UNIQUE INDEX queue_ticket ON queue (ticket);
ALTER TABLE queue REPLICA IDENTITY USING INDEX queue_ticket;
-- stream
INSERT INTO seats SELECT i, 'guest ' || i FROM generate_series(1, 8) i;
INSERT INTO queue SELECT i, 'guest ' || i, i FROM generate_series(1, 3) i;
-- seal
-- A swap, through a place that is free in between.
BEGIN;
UPDATE seats SET seat = 0 WHERE seat = 1;
UPDATE seats SET seat = 1 WHERE seat = 2;
UPDATE seats SET seat = 2 WHERE seat = 0;
COMMIT;
-- A circle of three.
BEGIN;
UPDATE seats SET seat = 0 WHERE seat = 3;
UPDATE seats SET seat = 3 WHERE seat = 4;
UPDATE seats SET seat = 4 WHERE seat = 5;
UPDATE seats SET seat = 5 WHERE seat = 0;
COMMIT;
-- A chain: each takes the place of the next, the last one leaves, a new one comes first.
BEGIN;
DELETE FROM seats WHERE seat = 8;
UPDATE seats SET seat = 8 WHERE seat = 7;
UPDATE seats SET seat = 7 WHERE seat = 6;
INSERT INTO seats VALUES (6, 'guest 9');
COMMIT;
-- The first column trades places in one statement, while the identity stays.
UPDATE queue SET place = 4 - place;
