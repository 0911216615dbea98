"""One workload, read by the peers and by the daemon from copies of one slot."""

import json
import shutil
import statistics
import time

import measure
from daemon import STAGED_LSN, Daemon, create_marker
from postgres import PostgresError, format_lsn
from settings import BUILD, MEMORY_MIB, RUNS, SCALE, SLOW_FSYNC

SPREAD_MAX = 0.08
SLOT, KEPT, COPY = "re_dms", "kept", "bench"
LOADERS = ("load", "lane", "duckdb")  # threads whose work comes after staging
MIB = 1 << 20


def drop_slot(server, name):
    """A walsender lets go of its slot a moment after its client went."""
    for _ in range(200):
        try:
            server.psql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                        f" WHERE slot_name = '{name}'")
            return
        except PostgresError:
            time.sleep(0.05)
    raise PostgresError(f"slot {name} stays busy")


def copy_slot(server, name):
    drop_slot(server, name)
    server.psql(f"SELECT pg_copy_logical_replication_slot('{KEPT}', '{name}')")


class Bench:
    """One workload: its server, the daemon's state before the load, the end position."""

    def __init__(self, workload, server, folder):
        self.workload, self.server, self.folder = workload, server, folder
        self.options = {"batch.memory": f"{MEMORY_MIB}MiB", "batch.interval": None}
        self.daemon = Daemon(server, folder / "daemon", self.options)
        self.rows, self.end, self.last = 0, 0, 0

    def prepare(self):
        server, workload = self.server, self.workload
        create_marker(server)
        workload.tables(server)
        self.daemon.start().wait_ready()
        workload.fill(server, SCALE)
        self.daemon.catch_up(600)
        if self.daemon.stop() != 0:
            raise self.daemon.error("SIGTERM did not end it with 0")
        server.psql(f"SELECT pg_copy_logical_replication_slot('{SLOT}', '{KEPT}')")
        shutil.copytree(self.daemon.folder, self.folder / "before")
        begin = time.monotonic()
        self.rows = workload.load(server, SCALE)
        self.last = server.lsn()
        server.psql("INSERT INTO marker DEFAULT VALUES; CHECKPOINT;")
        self.end = server.lsn()
        print(f"  {self.rows} rows loaded in {time.monotonic() - begin:.0f} s", flush=True)

    def repeated(self, once, key, count=RUNS):
        """COUNT measurements, more where they spread too far."""
        runs = [once() for _ in range(count)]
        values = sorted(map(key, runs))
        if count > 1 and values[-1] / values[0] > 1 + SPREAD_MAX:
            runs += [once() for _ in range(count)]
        middle = statistics.median_low(map(key, runs))
        return next(run for run in runs if key(run) == middle)

    def drain(self, **over):
        """OVER what: as Postgres.url()."""
        copy_slot(self.server, COPY)
        command = [BUILD / "bench" / "drain", self.server.url(**over), COPY, "re_dms",
                   format_lsn(self.end)]
        return json.loads(measure.must(command).output)

    def recvlogical(self, **over):
        copy_slot(self.server, COPY)
        command = [self.server.bin / "pg_recvlogical", "-d", self.server.url(**over), "-S", COPY,
                   "--start", "-E", format_lsn(self.end), "-f", "/dev/null", "-F", "0",
                   "-o", "proto_version=1", "-o", "publication_names=re_dms", "-o", "messages=true"]
        return measure.must(command).seconds

    def restore(self):
        """The daemon as it was before the load: journal, warehouse, slot."""
        shutil.rmtree(self.daemon.folder)
        shutil.copytree(self.folder / "before", self.daemon.folder)
        copy_slot(self.server, SLOT)

    def re_dms(self, environment=None, **over):
        """One run from the state before the load, with the times and the CPU of both ends."""
        self.restore()
        self.daemon.configure({**self.options, "source.url": self.server.url(**over)})
        begin = time.monotonic()
        seen = {}
        with measure.Sampler() as sender:

            def watch(process):
                while measure.alive(process.pid) and "staged" not in seen:
                    sender.pid = sender.pid or self.walsender()
                    if self.daemon.position(STAGED_LSN) >= self.last:
                        seen["staged"] = time.monotonic() - begin
                    time.sleep(measure.SAMPLE_SECONDS)

            measured = measure.run(self.daemon.command("run", "--until", "now"), watch=watch,
                                   errors=self.daemon.log,
                                   environment={**self.daemon.environment, **(environment or {})})
        if measured.code:
            raise self.daemon.error(f"run --until now: exit code {measured.code}")
        return {"measured": measured, "loaded": measured.seconds, "walsender": sender.total(),
                "staged": seen.get("staged", measured.seconds)}

    def walsender(self):
        pid = self.server.psql(f"SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{SLOT}'")
        return int(pid) if pid else None


def microseconds(seconds, rows):
    return seconds / rows * 1e6


def report_peers(bench, results):
    """Measures the peers; returns their seconds."""
    name = bench.workload.name
    drain = bench.repeated(bench.drain, lambda run: run["seconds"])
    if not bench.rows <= drain["rows"] <= bench.rows + 100:
        raise measure.MeasureError(f"{bench.rows} rows loaded, {drain['rows']} in the slot")
    results.add(name, "drain", drain["seconds"], "s")
    results.add(name, "drain rate", drain["rows"] / drain["seconds"] / 1000, "k rows/s")
    results.add(name, "drain CPU", microseconds(drain["user"] + drain["system"], bench.rows), "us/row")
    over_tcp = bench.repeated(lambda: bench.recvlogical(tcp=True), lambda seconds: seconds)
    results.add(name, "drain over TCP", bench.drain(tcp=True)["seconds"], "s", "drain", drain["seconds"])
    results.add(name, "pg_recvlogical", bench.recvlogical(), "s", "drain", drain["seconds"])
    results.add(name, "pg_recvlogical over TCP", over_tcp, "s", "drain", drain["seconds"])
    return drain["seconds"], over_tcp


def report_daemon(bench, results, drain, over_tcp):
    name, rows = bench.workload.name, bench.rows
    run = bench.repeated(bench.re_dms, lambda each: each["loaded"])
    measured = run["measured"]
    results.add(name, "staged", run["staged"], "s", "drain", drain)
    results.add(name, "staged against pg_recvlogical over TCP", run["staged"], "s",
                "pg_recvlogical over TCP", over_tcp)
    results.add(name, "loaded", run["loaded"], "s", "drain", drain)
    loading = sum(seconds for thread, seconds in measured.threads.items() if thread in LOADERS)
    results.add(name, "CPU to staged", microseconds(measured.cpu - loading, rows), "us/row")
    results.add(name, "CPU to loaded", microseconds(measured.cpu, rows), "us/row")
    for thread, seconds in sorted(measured.threads.items()):
        results.add(name, f"CPU of {thread}", microseconds(seconds, rows), "us/row")
    results.add(name, "CPU of the walsender", microseconds(run["walsender"], rows), "us/row")
    results.add(name, "peak memory", measured.rss_bytes / MIB, "MiB")
    return run["staged"]


def report_over_tls(bench, results):
    """Peers and daemon once more, with the certificate checked; the daemon once less often than without."""
    name, rows = bench.workload.name, bench.rows
    # Over loopback TCP its runs fall into two groups, a third apart.
    drain = bench.repeated(lambda: bench.drain(tls=True), lambda each: each["seconds"])
    results.add(name, "drain over TLS", drain["seconds"], "s")
    results.add(name, "drain over TLS CPU", microseconds(drain["user"] + drain["system"], rows), "us/row")
    recvlogical = bench.recvlogical(tls=True)
    results.add(name, "pg_recvlogical over TLS", recvlogical, "s", "drain over TLS", drain["seconds"])
    run = bench.repeated(lambda: bench.re_dms(tls=True), lambda each: each["loaded"], max(1, RUNS - 1))
    results.add(name, "staged over TLS", run["staged"], "s", "drain over TLS", drain["seconds"])
    results.add(name, "loaded over TLS", run["loaded"], "s", "drain over TLS", drain["seconds"])
    results.add(name, "loaded against pg_recvlogical over TLS", run["loaded"], "s",
                "pg_recvlogical over TLS", recvlogical)
    measured = run["measured"]
    results.add(name, "CPU over TLS", microseconds(measured.cpu, rows), "us/row")
    results.add(name, "CPU of receive over TLS", microseconds(measured.threads.get("receive", 0), rows),
                "us/row")


def report_slow_fsync(bench, results, staged):
    slow = bench.repeated(lambda: bench.re_dms(SLOW_FSYNC), lambda run: run["staged"])
    results.add(bench.workload.name, "staged with slow fsync", slow["staged"], "s", "staged", staged)


def report_memory(bench, results):
    run = bench.re_dms()
    results.add(bench.workload.name, "peak memory", run["measured"].rss_bytes / MIB, "MiB")
    results.add(bench.workload.name, "time to load", run["loaded"], "s")


def report_equal(bench):
    counts = bench.daemon.compare()
    print(f"  equal: {sum(counts.values())} rows in {len(counts)} tables", flush=True)
