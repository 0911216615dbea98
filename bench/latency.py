"""From a commit in PostgreSQL to the moment its row is visible in the target."""

import bisect
import math

from daemon import Daemon, create_marker
from duckdb_file import DuckdbFile
from postgres import parse_lsn
from settings import MEMORY_MIB, QUICK, SLOW_FSYNC
from workloads import pgbench

NAME = "L"
TITLE = "latency of 500 small transactions a second, interval 1 s, a target of 10 M rows"
TARGET_ROWS = 1_000_000 if QUICK else 10_000_000
RATE, SECONDS = 500, 10 if QUICK else 60
STEP = 500_000

TABLES = """
CREATE TABLE public.big (id int PRIMARY KEY, n int, note text);
CREATE TABLE public.tick (id bigserial PRIMARY KEY, lsn pg_lsn);"""
TRANSACTION = f"""
\\set id random(1, {TARGET_ROWS})
BEGIN;
UPDATE big SET n = n + 1 WHERE id = :id;
INSERT INTO tick (lsn) VALUES (pg_current_wal_insert_lsn());
END;
"""
# The position was taken inside the transaction, so the first load that ends beyond it may not have
# it yet: a commit later than that load's last one belongs to the next.
TICKS = """SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)), lsn FROM tick
WHERE id > {} ORDER BY id"""
LOADS = """SELECT DISTINCT to_lsn, epoch(visible_at), epoch(last_commit) FROM re_dms.loads
WHERE visible_at IS NOT NULL AND last_commit IS NOT NULL AND source_table IN ('tick', 'big')"""


def latencies(ticks, loads):
    """Seconds from each commit to its load, sorted."""
    ends = sorted((parse_lsn(to), float(visible), float(last)) for to, visible, last in loads)
    found = []
    for committed, lsn in ticks:
        number = bisect.bisect_right(ends, (parse_lsn(lsn), math.inf, math.inf))
        while number < len(ends) and ends[number][2] < float(committed) - 1e-6:
            number += 1
        if number == len(ends):
            raise RuntimeError(f"no load for the commit at {lsn}")
        found.append(ends[number][1] - float(committed))
    return sorted(found)


def measure_once(server, daemon, script):
    daemon.start().wait_ready()
    daemon.catch_up(600)
    first = server.value("SELECT coalesce(max(id), 0) FROM tick")
    pgbench(server, "-n", "-f", str(script), "-c", "4", "-j", "1", "-R", str(RATE), "-T", str(SECONDS))
    # Twice: the time at which a load was visible is written down by the next one.
    daemon.catch_up(60)
    daemon.catch_up(60)
    if daemon.stop() != 0:
        raise daemon.error("SIGTERM did not end it with 0")
    with DuckdbFile(str(daemon.warehouse)) as duck:
        loads = duck.query(LOADS)
    found = latencies(server.rows(TICKS.format(first)), loads)
    return {share: found[int(len(found) * share / 100)] for share in (50, 99)} | {100: found[-1]}


def report(server, folder, results):
    server.psql(TABLES)
    create_marker(server)
    script = folder / "transaction.sql"
    script.write_text(TRANSACTION, encoding="utf-8")
    options = {"batch.memory": f"{MEMORY_MIB}MiB", "batch.interval": "1s"}
    with Daemon(server, folder / "daemon", options) as daemon:
        daemon.start().wait_ready()
        for first in range(1, TARGET_ROWS, STEP):
            server.psql(f"INSERT INTO big SELECT i, 0, md5(i::text)"
                        f" FROM generate_series({first}, {first + STEP - 1}) i")
        daemon.catch_up(1200)
        daemon.stop()
        plain = measure_once(server, daemon, script)
        environment = daemon.environment
        daemon.environment = environment | SLOW_FSYNC
        slow = measure_once(server, daemon, script)
        daemon.environment = environment
        daemon.configure({**options, "source.url": server.url(tls=True)})
        over_tls = measure_once(server, daemon, script)
        daemon.compare()
    for share, metric in ((50, "p50"), (99, "p99"), (100, "maximum")):
        results.add(NAME, metric, plain[share], "s")
        results.add(NAME, f"{metric} with slow fsync", slow[share], "s")
        results.add(NAME, f"{metric} over TLS", over_tls[share], "s")
    results.add(NAME, "p50 added by slow fsync", slow[50] - plain[50], "s")
