#!/usr/bin/python3
"""Goal: with on_drop_column = "keep", a column that the source drops stays in the target with what it holds, through
changes of its rows and restarts; where it would be lost, its table waits for a person who says what becomes of it."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# Of the values of "large", an UPDATE that leaves them alone sends nothing.
TABLES = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, a text, old text, large text);"
                 f" INSERT INTO {name} SELECT g, 'a', 'old ' || g FROM generate_series(1, 100) g;"
                 f" UPDATE {name} SET large = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)"
                 " WHERE id BETWEEN 6 AND 9;"
                 for name in ("orders", "again", "dropped"))
CHANGES = ("BEGIN; UPDATE {0} SET a = 'before' WHERE id = 1; ALTER TABLE {0} DROP COLUMN old;"
           " UPDATE {0} SET a = 'after' WHERE id IN (2, 3, 7); DELETE FROM {0} WHERE id = 4;"
           " UPDATE {0} SET id = 1000 WHERE id = 5; INSERT INTO {0} VALUES (101, 'new'); COMMIT;")
KEPT = [["1", "old 1"], ["2", "old 2"], ["3", "old 3"], ["6", "old 6"], ["101", None], ["1000", "old 5"]]


def kept(daemon, table):
    with daemon.target.open() as target:
        rows = target.query(f"SELECT id, old FROM public.{table} WHERE id IN (1, 2, 3, 4, 5, 6, 101, 1000)")
    return sorted(([str(key), old] for key, old in rows), key=lambda row: int(row[0]))


def execute(daemon, sql):
    with daemon.target.open(writable=True) as target:
        target.execute(sql)


def wait_set_aside(daemon, table, words):
    def reason():
        return [each["reason"] for each in daemon.said(NOT_LIVE) if each["table"] == f"public.{table}"]

    daemon.wait(f"{table} waits for a person", lambda: reason() != [] and words in reason()[0])


def run(daemon, *arguments):
    code, _, said = daemon.run(*arguments)
    expect(code == 0, f"{arguments}: {said}")


def main():
    rules = [{"match": "public.dropped"}, {"match": "public.*", "on_drop_column": "keep"}]
    with scenario(TABLES, options={"table": rules}) as (server, daemon):
        daemon.start().wait_ready()
        daemon.wait_live(4)
        for table in ("orders", "again", "dropped"):
            server.psql(CHANGES.format(table))
        daemon.catch_up()
        for table in ("orders", "again"):
            expect(kept(daemon, table) == KEPT, f"{table}: {kept(daemon, table)}")
        daemon.compare([("public", "dropped")])
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        daemon.start().wait_ready()
        server.psql("UPDATE orders SET a = 'alone' WHERE id IN (2, 3)")
        daemon.catch_up()
        server.psql("UPDATE orders SET a = 'later' WHERE id IN (3, 6); ALTER TABLE orders ADD b int DEFAULT 5")
        server.psql("UPDATE orders SET b = 6 WHERE id = 6")
        daemon.catch_up()
        expect(kept(daemon, "orders") == KEPT, f"orders, later: {kept(daemon, 'orders')}")

        # Another column of the name.
        server.psql("ALTER TABLE orders ADD old int DEFAULT 7; UPDATE orders SET old = 8 WHERE id = 6")
        wait_set_aside(daemon, "orders", "keeps another one of this name")
        expect(kept(daemon, "orders") == KEPT, f"orders, set aside: {kept(daemon, 'orders')}")
        execute(daemon, "ALTER TABLE public.orders DROP COLUMN old")
        run(daemon, "resume", "public.orders")
        daemon.wait("orders is live", lambda: daemon.said(COMING) == [] and daemon.said(NOT_LIVE) == [])
        daemon.catch_up()
        daemon.compare([("public", "orders")])

        # A copy anew.
        run(daemon, "resync", "public.again")
        wait_set_aside(daemon, "again", "(old): what they hold would be lost")
        expect(kept(daemon, "again") == KEPT, f"again, set aside: {kept(daemon, 'again')}")
        execute(daemon, "ALTER TABLE public.again DROP COLUMN old")
        run(daemon, "resync", "public.again")
        daemon.wait("again is live", lambda: daemon.said(COMING) == [] and daemon.said(NOT_LIVE) == [])
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
