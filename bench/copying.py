"""Copying what is there: one large table and many small ones, against COPY … TO STDOUT thrown away."""

import json
import re
import shutil
import subprocess
import threading
import time
from datetime import datetime

import measure
from daemon import Daemon, create_marker
from settings import MEMORY_MIB, QUICK
from workloads import TEN_COLUMNS, TEN_VALUES

NAME = "W5"
ROWS = 1_000_000 if QUICK else 10_000_000
TABLES = 100 if QUICK else 1000
TITLE = f"copy of {ROWS} rows in one table, and of {TABLES} tables of 1,000 rows"
ADDED_ROWS = 100_000 if QUICK else 1_000_000
INTERVAL_SECONDS = 5
MIB = 1 << 20
LOADERS = ("load", "duckdb")


def copy_out(server, tables):
    """Seconds of one session that copies the tables to nowhere."""
    begin = time.monotonic()
    with open("/dev/null", "wb") as nowhere:
        subprocess.run([server.bin / "psql", "-Xq", "-d", server.url(), "-f", "-"], check=True, stdout=nowhere,
                       input="".join(f"COPY public.{table} TO STDOUT;\n" for table in tables).encode())
    return time.monotonic() - begin


def events(daemon, name):
    lines = [json.loads(line) for line in daemon.log_text().splitlines() if line.startswith("{")]
    return [datetime.fromisoformat(line["time"] + ":00") for line in lines if line["event"] == name]


def copied(server, folder, workers, rows, tables, **over):
    """(seconds to staged, seconds to loaded, CPU to staged, CPU to loaded, peak memory) of a first run. OVER what:
    as Postgres.url()."""
    shutil.rmtree(folder, ignore_errors=True)
    options = {"batch.memory": f"{MEMORY_MIB}MiB", "batch.interval": "1s", "source.workers": workers,
               "source.url": server.url(**over)}
    with Daemon(server, folder, options) as daemon:
        done = measure.run(daemon.command("run", "--until", "now"), errors=daemon.log, seconds=3600,
                           environment=daemon.environment)
        if done.code:
            raise daemon.error(f"run --until now: exit code {done.code}")
        begin, read = events(daemon, "copying")[0], events(daemon, "copied")[-1]
        # Tables join when the target has all their rows.
        loaded = events(daemon, "tables_joining")[-1]
        daemon.compare([("public", table) for table in tables])
        if daemon.run("teardown", "--yes")[0]:
            raise daemon.error("teardown failed")
    staged_cpu = sum(seconds for name, seconds in done.threads.items() if name not in LOADERS)
    return ((read - begin).total_seconds(), (loaded - begin).total_seconds(), staged_cpu / rows * 1e6, done.cpu / rows * 1e6,
            done.rss_bytes / MIB)


def report_one(server, folder, results, title, rows, tables):
    peer = copy_out(server, tables)
    results.add(NAME, f"COPY of {title}", peer, "s")
    for workers, over in ((1, {}), (2, {}), (4, {}), (1, {"tls": True})):
        staged, loaded, staged_cpu, cpu, memory = copied(server, folder / "daemon", workers, rows, tables, **over)
        what = f"{title}, {workers} worker{'s' if workers > 1 else ''}{' over TLS' if over else ''}"
        results.add(NAME, f"staged: {what}", staged, "s", "COPY", peer)
        results.add(NAME, f"loaded: {what}", loaded, "s", "COPY", peer)
        if workers == 1 and not over:
            results.add(NAME, f"CPU to staged: {title}", staged_cpu, "us/row")
            results.add(NAME, f"CPU to loaded: {title}", cpu, "us/row")
            results.add(NAME, f"peak memory: {title}", memory, "MiB")


class Ticks(threading.Thread):
    """A transaction of one row every 20 ms, and how far behind the target is, in seconds."""

    def __init__(self, server, daemon):
        super().__init__(daemon=True)
        self.server, self.daemon, self.lags = server, daemon, []
        self.ended = threading.Event()

    def run(self):
        with self.server.session() as session:
            while not self.ended.wait(0.02):
                session.must("INSERT INTO tick DEFAULT VALUES")
                self.lags.append(float(re.search(r"^re_dms_lag_seconds (\S+)$", self.daemon.get("/metrics")[1], re.M).group(1)))

    def end(self):
        self.ended.set()
        self.join()
        return max(self.lags)


def report_added(server, folder, results):
    """A table with rows comes while others change: these do not wait for it."""
    server.psql("CREATE TABLE tick (id bigserial PRIMARY KEY)")
    options = {"batch.memory": f"{MEMORY_MIB}MiB", "batch.interval": f"{INTERVAL_SECONDS}s"}
    with Daemon(server, folder / "daemon", options) as daemon:
        daemon.environment["RE_DMS_CATALOG_MS"] = "1000"
        daemon.start().wait_live(2)
        ticks = Ticks(server, daemon)
        ticks.start()
        server.psql((TEN_COLUMNS + TEN_VALUES.format(1, ADDED_ROWS)).replace("w1", "added"))
        daemon.wait_live(3, 600)
        lag = ticks.end()
        daemon.catch_up(600)
        daemon.compare([("public", "added"), ("public", "tick")])
        results.add(NAME, f"largest lag while {ADDED_ROWS} rows are added", lag, "s", "interval", INTERVAL_SECONDS)
        if daemon.stop() or daemon.run("teardown", "--yes")[0]:
            raise daemon.error("it did not end well")


def report(server, folder, results):
    create_marker(server)
    server.psql(TEN_COLUMNS + TEN_VALUES.format(1, ROWS) + "VACUUM ANALYZE w1; CHECKPOINT;")
    report_one(server, folder, results, "one table", ROWS, ["w1"])
    small = [f"s{number}" for number in range(1, TABLES + 1)]
    server.psql("DROP TABLE w1;" + "".join(
        TEN_COLUMNS.replace("w1", table) + TEN_VALUES.format(1, 1000).replace("w1", table) for table in small)
        + "VACUUM ANALYZE; CHECKPOINT;")
    report_one(server, folder, results, "many tables", TABLES * 1000, small)
    server.psql("".join(f"DROP TABLE {table};" for table in small))
    shutil.rmtree(folder / "daemon")
    report_added(server, folder, results)
