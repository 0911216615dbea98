#!/usr/bin/python3
"""Goal: TRUNCATE of several tables at once empties those that are replicated, whatever came before and after it in
the same transaction; tables that are not in the publication or are set aside do not hinder the others."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.parent (id serial PRIMARY KEY, note text);
CREATE TABLE public.child (id serial PRIMARY KEY, parent int REFERENCES parent);
CREATE TABLE public.excluded (id serial PRIMARY KEY, parent int REFERENCES parent);
CREATE TABLE public.aside (id int PRIMARY KEY, parent int REFERENCES parent);
CREATE TABLE public.bystander (id int PRIMARY KEY, note text);"""
OPTIONS = {"source.exclude": ["public.excluded"]}

FILL = """
INSERT INTO parent SELECT i, 'before' FROM generate_series(1, 50) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO excluded SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO aside VALUES (1, 1);
INSERT INTO bystander VALUES (1, 'stays');"""

# child, excluded and aside follow by CASCADE; the sequences start at 1 again, as the keys show.
EMPTIED = """
BEGIN;
INSERT INTO parent (id, note) VALUES (1000, 'gone again');
UPDATE parent SET note = 'changed' WHERE id < 10;
UPDATE parent SET id = 2000 WHERE id = 20 AND NOT EXISTS (SELECT FROM child WHERE parent = 20);
UPDATE child SET id = id + 5000 WHERE id < 5;
TRUNCATE parent, bystander RESTART IDENTITY CASCADE;
INSERT INTO parent (note) SELECT 'after' FROM generate_series(1, 3);
INSERT INTO child (parent) VALUES (1), (2);
INSERT INTO excluded (parent) VALUES (3);
INSERT INTO bystander VALUES (1, 'new');
UPDATE parent SET note = 'after, changed' WHERE id = 2;
COMMIT;"""

ROLLED_BACK = "BEGIN; TRUNCATE parent CASCADE; INSERT INTO parent VALUES (77); ROLLBACK;"

TWICE = """
BEGIN; TRUNCATE child; INSERT INTO child VALUES (1, 1), (2, 1);
SAVEPOINT s; TRUNCATE child; INSERT INTO child VALUES (9, 1); ROLLBACK TO s;
TRUNCATE child; INSERT INTO child VALUES (2, 3); COMMIT;"""

LIVE = [("public", "parent"), ("public", "child"), ("public", "bystander")]


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        daemon.start().wait_ready()
        server.psql(FILL)
        daemon.catch_up()
        daemon.compare(LIVE + [("public", "aside")])
        server.psql("ALTER TABLE aside REPLICA IDENTITY NOTHING; INSERT INTO aside VALUES (2, 2)")
        daemon.catch_up(set_aside=True)
        expect([table["table"] for table in daemon.said(NOT_LIVE)] == ["public.aside"],
               f"set aside: {daemon.said(NOT_LIVE)}")
        for step in EMPTIED, ROLLED_BACK, TWICE, FILL.splitlines()[-1].replace("(1", "(5"), "TRUNCATE bystander":
            server.psql(step)
            daemon.catch_up(set_aside=True)
            daemon.compare(LIVE)
        daemon.kill()
        server.psql(EMPTIED)
        daemon.start().wait_ready()
        daemon.catch_up(set_aside=True)
        counts = daemon.compare(LIVE)
        expect(len(daemon.said(NOT_LIVE)) == 1, f"set aside: {daemon.said(NOT_LIVE)}")
        expect(daemon.stop() == 3, "SIGTERM ends it with 3: a table is set aside")
    print(f"equal: {counts}")


main()
