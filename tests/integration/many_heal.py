#!/usr/bin/python3
"""Goal: a hundred tables that fail at once, half of them by a column of another type under traffic and half because
somebody damaged their targets, all heal without a person, while the others go on.

    many_heal.py [TABLES]"""

import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = 100
ROWS = 200


def each(tables, statement):
    """STATEMENT for each table, whose name is in %I, in a transaction of its own."""
    return (f"DO $$ BEGIN FOR i IN {tables.start}..{tables.stop - 1} LOOP EXECUTE format($s${statement}$s$, 't' || i);"
            " COMMIT; END LOOP; END $$;")


class Traffic:
    """Updates a row of each table, over and over, and of one that nothing happens to."""

    def __init__(self, server, tables):
        self._server, self._tables = server, tables
        self.rounds = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            self._server.psql(each(self._tables, "UPDATE %I SET v = v || 'x' WHERE id = 1 + (random() * 100)::int")
                              + "UPDATE bystander SET n = n + 1")
            self.rounds += 1
            self._stop.wait(0.2)


def metric(daemon, name):
    """Of all its labels together."""
    values = (line.rpartition(" ")[::2] for line in daemon.get("/metrics")[1].splitlines() if line[0] != "#")
    return sum(float(value) for series, value in values if series.partition("{")[0] == name)


def bystander(daemon):
    with daemon.target.open() as duck:
        return int(duck.value("SELECT n FROM public.bystander"))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    tables, retyped = range(1, count + 1), range(1, count // 2 + 1)
    with scenario("CREATE TABLE public.bystander (n int PRIMARY KEY); INSERT INTO bystander VALUES (1)") as (
            server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "500"
        server.psql(each(tables, "CREATE TABLE public.%I (id int PRIMARY KEY, n int, v text)")
                    + each(tables, f"INSERT INTO %I SELECT g, g, 'row' FROM generate_series(1, {ROWS}) g"))
        daemon.start().wait_ready().wait_live(count + 2, 120)
        with Traffic(server, tables):
            with daemon.target.open(writable=True) as duck:
                for number in tables[count // 2:]:
                    duck.execute(f"DELETE FROM public.t{number} WHERE id BETWEEN 2 AND 190")
            began = time.monotonic()
            server.psql(each(retyped, "ALTER TABLE %I ALTER n TYPE text USING ''n'' || n").replace("''", "'"))
            daemon.wait("all have failed", lambda: metric(daemon, "re_dms_tables_copied_anew_total") >= count, 120)
            failed, stood = time.monotonic() - began, bystander(daemon)
            daemon.wait("all are live again", lambda: daemon.said(COMING) == [], 240)
            took = time.monotonic() - began
            expect(bystander(daemon) > stood, "the others went on meanwhile")
        daemon.catch_up(120)
        daemon.wait_live(count + 2)
        counts = daemon.compare([("public", f"t{number}") for number in tables])
        expect(daemon.stop() == 0, "no table waits for a person")
    print(f"{count} tables failed within {failed:.1f} s and were live again after {took:.1f} s;"
          f" {sum(counts.values())} rows are equal")


main()
