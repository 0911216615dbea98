"""What `bench/run` measures: tables that are empty at first, rows that are there before, the load."""

import subprocess
from collections import namedtuple

from postgres import PostgresError

# tables(server): makes them; fill(server, scale): rows loaded before the measurement, replicated too; load(server,
# scale): what is measured; returns how many row changes it made. scale: 1, or 0.1 with QUICK.
Workload = namedtuple("Workload", "name title tables fill load")

TEN_COLUMNS = """
CREATE TABLE public.w1 (id bigint PRIMARY KEY, a int, b int, c bigint, d numeric(12,2),
  e double precision, f text, g text, h timestamptz, i boolean);"""
TEN_VALUES = """
INSERT INTO w1 SELECT i, i % 1000, i * 7 % 100003, i * 1000003, (i % 1000000) / 100.0, i / 3.0,
  md5(i::text), md5((i + 1)::text) || ' some more text ' || i, now() + i * interval '1 ms', i % 2 = 0
FROM generate_series({}::bigint, {}::bigint) i;"""


def made_by(sql):
    return lambda server: server.psql(sql)


def nothing(_server, _scale):
    """No rows before."""


def insert_in_transactions(rows, size):
    def load(server, scale):
        total = int(rows * scale)
        step = min(size, total)
        server.psql("".join(TEN_VALUES.format(first, first + step - 1)
                            for first in range(1, total + 1, step)))
        return total

    return load


def pgbench(server, *arguments):
    done = subprocess.run([server.bin / "pgbench", *arguments], capture_output=True, text=True,
                          check=False, env={**server.environment(), "PGOPTIONS": ""})
    if done.returncode:
        raise PostgresError(done.stderr)


def pgbench_tables(server):
    pgbench(server, "-i", "-I", "dtp", "-q")
    server.psql("ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY;")


def pgbench_fill(server, _scale):
    pgbench(server, "-i", "-I", "G", "-s", "10", "-q")
    server.psql("VACUUM ANALYZE;")


def pgbench_load(server, scale):
    transactions = int(300_000 * scale)
    pgbench(server, "-n", "-M", "prepared", "-c", "4", "-j", "1", "-t", str(transactions // 4))
    return transactions * 4


HOT = "CREATE TABLE public.w3 (id int PRIMARY KEY, n bigint, note text, at timestamptz) WITH (fillfactor = 50);"
HOT_ROWS = 10_000


def hot_fill(server, _scale):
    server.psql(f"INSERT INTO w3 SELECT i, 0, md5(i::text), now() FROM generate_series(1, {HOT_ROWS}) i;")


def hot_load(server, scale):
    """Each transaction updates every row; the table is kept from growing."""
    passes = int(2_000_000 * scale) // HOT_ROWS
    for number in range(passes):
        server.psql("UPDATE w3 SET n = n + id, note = md5(n::text), at = now();"
                    + ("VACUUM w3;" if number % 5 == 4 else ""))
    return passes * HOT_ROWS


LONG = """
CREATE TABLE public.w4 (id int PRIMARY KEY, n bigint, at timestamptz, long text) WITH (fillfactor = 50);
ALTER TABLE public.w4 ALTER long SET STORAGE EXTERNAL;"""
LONG_ROWS = 20_000


def long_fill(server, _scale):
    server.psql(f"""INSERT INTO w4 SELECT i, 0, now(), (SELECT string_agg(md5((i * 1000 + j)::text), '')
      FROM generate_series(1, 256) j) FROM generate_series(1, {LONG_ROWS}) i;""")


def long_load(server, scale):
    passes = int(2_000_000 * scale) // LONG_ROWS
    for number in range(passes):
        server.psql("UPDATE w4 SET n = n + id, at = now();" + ("VACUUM w4;" if number % 5 == 4 else ""))
    return passes * LONG_ROWS


WORKLOADS = [
    Workload("W1", "2 M inserts of ten columns, 100 k a transaction", made_by(TEN_COLUMNS), nothing,
             insert_in_transactions(2_000_000, 100_000)),
    Workload("W1b", "2 M inserts of ten columns, one transaction", made_by(TEN_COLUMNS), nothing,
             insert_in_transactions(2_000_000, 2_000_000)),
    Workload("W2", "300 k pgbench transactions, 4 rows each", pgbench_tables, pgbench_fill,
             pgbench_load),
    Workload("W3", "2 M updates over 10 k hot rows", made_by(HOT), hot_fill, hot_load),
    Workload("W4", "2 M updates of 20 k rows with 8 kB unchanged", made_by(LONG), long_fill, long_load),
]
# Without peers: how much memory it takes.
LARGE = Workload("M", "5 M inserts of ten columns, one transaction", made_by(TEN_COLUMNS), nothing,
                 insert_in_transactions(5_000_000, 5_000_000))
