"""A row in each of many tables, against DuckDB alone with a statement for each row."""

import gzip
import time

from daemon import Daemon, create_marker
from duckdb_file import DuckdbFile
from settings import QUICK

NAME = "W6"
TABLES = 100 if QUICK else 1000
TITLE = f"one row in each of {TABLES} tables of 14 columns: inserted, updated, then one of them"
COLUMNS = ["id bigint", "a int", "b int", "c bigint", "d numeric(12,2)", "e double precision", "f text",
           "g text", "h text", "i boolean", "j int", "k int", "l text", "m date"]
ROW = ["1", "2", "3", "4", "5.25", "6.5", "seven", "eight", "nine", "true", "11", "12", "thirteen",
       "2026-11-29"]
MEMORY = "2GiB"


def each_table(statement):
    """One transaction at the source with STATEMENT for each table, whose name is in %I."""
    return (f"DO $$ BEGIN FOR number IN 1..{TABLES} LOOP"
            f" EXECUTE format($s${statement}$s$, 't' || number); END LOOP; END $$")


def literals():
    return ", ".join(f"'{value}'" for value in ROW)


class Alone:
    """DuckDB without re_dms; times the opening and closing of its file too."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "alone.duckdb"
        folder.mkdir()
        for number in range(1, TABLES + 1):
            with gzip.open(self.file(number), "wt", encoding="utf-8") as rows:
                rows.write(",".join(ROW) + "\n")

    def file(self, number):
        return self.folder / f"{number}.csv.gz"

    def seconds(self, statements):
        begin = time.monotonic()
        with DuckdbFile(str(self.path), writable=True) as duck:
            duck.execute("BEGIN")
            for statement in statements:
                duck.execute(statement)
            duck.execute("COMMIT")
        return time.monotonic() - begin

    def inserts(self):
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in
                            (column.split(" ", 1) for column in COLUMNS))
        for number in range(1, TABLES + 1):
            yield f"CREATE TABLE t{number} ({', '.join(COLUMNS)})"
            yield (f"INSERT INTO t{number} SELECT * FROM read_csv('{self.file(number)}', columns ="
                   f" {{{columns}}}, auto_detect = false, header = false)")

    @staticmethod
    def updates():
        for number in range(1, TABLES + 1):
            yield f"UPDATE t{number} SET a = a + 1, f = 'more' WHERE id = 1"


def run_until_now(daemon):
    """Seconds of a whole run: start, taking over, loading, ending."""
    begin = time.monotonic()
    code, _, said = daemon.run("run", "--until", "now", seconds=1200)
    if code:
        raise daemon.error(f"run --until now: exit code {code}\n{said}")
    return time.monotonic() - begin


def one_row(server, daemon):
    """Seconds from a commit in one of the tables to its row in the target."""
    daemon.start().wait_ready()
    daemon.catch_up(120)
    begin, before = time.monotonic(), server.lsn()
    server.psql("UPDATE t7 SET a = a + 1")
    daemon.wait_beyond(before, 120)
    took = time.monotonic() - begin
    if daemon.stop() != 0:
        raise daemon.error("SIGTERM did not end it with 0")
    return took


def report(server, folder, results):
    create_marker(server)
    columns = ", ".join(COLUMNS).replace("id bigint", "id bigint PRIMARY KEY")
    server.psql(each_table(f"CREATE TABLE public.%I ({columns})"))
    alone = Alone(folder / "alone")
    with Daemon(server, folder / "daemon", {"batch.memory": MEMORY, "batch.interval": "100ms"}) as daemon:
        code, _, said = daemon.run("setup")
        if code:
            raise daemon.error(f"setup: exit code {code}\n{said}")
        server.psql(each_table(f"INSERT INTO %I VALUES ({literals()})"))
        inserted = run_until_now(daemon)
        results.add(NAME, "inserts", inserted, "s", "DuckDB alone", alone.seconds(alone.inserts()))
        server.psql(each_table("UPDATE %I SET a = a + 1, f = 'more'"))
        updated = run_until_now(daemon)
        results.add(NAME, "updates", updated, "s", "DuckDB alone", alone.seconds(alone.updates()))
        results.add(NAME, "one row", one_row(server, daemon), "s")
        # Comparing one costs more than loading it.
        counts = daemon.compare([("public", f"t{number}") for number in range(1, TABLES, TABLES // 50)])
    print(f"  equal: {sum(counts.values())} rows in {len(counts)} tables", flush=True)
