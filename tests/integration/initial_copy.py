#!/usr/bin/python3
"""Goal: tables that hold rows when replication begins are copied, under traffic, and end equal."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# Escapes of COPY's text, NULL beside empty text, keys that are not finite, a table without rows.
ODD = r"""
CREATE TABLE public.odd (id int PRIMARY KEY, v text, b bytea, f float8, n numeric, a text[]);
INSERT INTO public.odd VALUES (1, E'tab\t newline\n return\r back\\slash \\N', '\x00ff5c0a', 'NaN', 'NaN',
  ARRAY['a,b', NULL, E'q"\\']), (2, '', '', '-Infinity', '0.10', '{}'), (3, NULL, NULL, NULL, NULL, NULL),
  (4, '\N', E'\\\\', 'Infinity', '-1', NULL);
CREATE TABLE public.by_number (k numeric PRIMARY KEY, v int);
INSERT INTO public.by_number VALUES ('NaN', 1), ('Infinity', 2), ('-Infinity', 3), (1.0, 4);
CREATE TABLE public.by_float (k float8 PRIMARY KEY, v int);
INSERT INTO public.by_float VALUES ('NaN', 1), ('Infinity', 2), ('-Infinity', 3), (0.1, 4);
CREATE TABLE public.nothing (id int PRIMARY KEY);
CREATE TABLE public.base (id int PRIMARY KEY); INSERT INTO public.base VALUES (1);
CREATE TABLE public.heir (PRIMARY KEY (id)) INHERITS (public.base); INSERT INTO public.heir VALUES (2);
CREATE TABLE public.parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE public.low PARTITION OF public.parted FOR VALUES FROM (0) TO (100);
CREATE TABLE public.high PARTITION OF public.parted FOR VALUES FROM (100) TO (300);
INSERT INTO public.parted SELECT i, 'row ' || i FROM generate_series(0, 199) i;
CREATE TABLE public.generated (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, v text);
INSERT INTO public.generated VALUES (1, DEFAULT, 'x');
CREATE TABLE public.dropped (id int PRIMARY KEY, gone text, v text);
INSERT INTO public.dropped VALUES (1, 'x', 'y'); ALTER TABLE public.dropped DROP COLUMN gone;
"""
PUBLISHED = ("SELECT concat_ws(E'\\t', schemaname, tablename) FROM pg_publication_tables"
             " WHERE pubname = 're_dms'")
CHANGES = r"""
UPDATE public.by_number SET v = v + 10; UPDATE public.by_float SET v = v + 10;
DELETE FROM public.by_number WHERE k = 'NaN'; DELETE FROM public.by_float WHERE k = 'NaN';
UPDATE public.odd SET v = v || '!' WHERE id < 3; INSERT INTO public.nothing VALUES (1);
UPDATE public.parted SET id = id + 200 WHERE id BETWEEN 10 AND 12; INSERT INTO public.dropped VALUES (2, 'z');
UPDATE public.generated SET v = 'y'; DELETE FROM public.heir; INSERT INTO public.base VALUES (3);
"""


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with scenario(ODD, options={"source.include": traffic.INCLUDE + ["public.*"]}) as (server, daemon):
        traffic.create_tables(server)
        with traffic.Traffic(server, seed=seed, clients=3, pause=0.005, columns=150) as load:
            load.run_for(3)
            daemon.start().wait_ready()
            load.run_for(3)
        server.psql(CHANGES)
        traffic.touch_tables(server)
        tables = [tuple(line.split("\t")) for line in server.psql(PUBLISHED).splitlines()]
        daemon.wait_live(len(tables), 120)
        daemon.catch_up(120)
        counts = daemon.compare([name for name in tables if name != ("public", "marker")])
        slots = server.psql("SELECT string_agg(slot_name, ' ') FROM pg_replication_slots")
        expect(slots.strip() == "re_dms", f"a slot is left behind: {slots}")
        code = daemon.stop()
        expect(code == 0, f"exit code {code}")
    print(f"equal after {load.transactions} transactions: {counts}")


main()
