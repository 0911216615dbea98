#!/usr/bin/python3
"""Goal: inserts, updates, deletes, key changes and TRUNCATE reach the DuckDB file, in order."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.orders (id int PRIMARY KEY, customer text, amount numeric(10,2));
CREATE TABLE public.emptied (id int PRIMARY KEY, note text);
CREATE TABLE public.untouched (id int PRIMARY KEY);"""

STEPS = [
    "INSERT INTO orders SELECT i, 'customer ' || i, i / 3.0 FROM generate_series(1, 1000) i;"
    " INSERT INTO emptied SELECT i, 'old' FROM generate_series(1, 100) i;",
    "UPDATE orders SET amount = -1, customer = NULL WHERE id % 2 = 0; DELETE FROM orders WHERE id % 5 = 0;",
    "BEGIN; UPDATE orders SET id = id + 10000 WHERE id < 100; INSERT INTO orders VALUES (1, '', 0);"
    " DELETE FROM orders WHERE id = 10002; COMMIT;",
    "TRUNCATE emptied; INSERT INTO emptied VALUES (1, 'new');",
    "BEGIN; DELETE FROM orders; ROLLBACK; DELETE FROM orders WHERE id = 11; INSERT INTO orders VALUES (11, E'\\\\N', 1);",
    "BEGIN; INSERT INTO orders VALUES (0, 'a', 0); SAVEPOINT s; DELETE FROM orders; ROLLBACK TO s;"
    " UPDATE orders SET id = -id WHERE id BETWEEN 200 AND 300; COMMIT;",
]


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        for step in STEPS:
            server.psql(step)
            daemon.catch_up()
            daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql("".join(STEPS[1:2]) + "INSERT INTO orders VALUES (77777, 'while it was away', 1);")
        daemon.start().wait_ready()
        daemon.catch_up()
        counts = daemon.compare()
        with daemon.target.open() as duck:
            loads = int(duck.value("SELECT count(*) FROM re_dms.loads"))
        expect(loads >= len(STEPS), f"re_dms.loads has {loads} rows")
    print(f"equal: {counts}, {loads} loads")


main()
