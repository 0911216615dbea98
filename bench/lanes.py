"""Changed rows of some tables through S3 into a stand-in for Redshift, which loads them by a PostgreSQL of its own: seconds
say how lanes, store and daemon work together, and nothing about a cluster."""


import measure
from daemon import Daemon, create_marker
from settings import MEMORY_MIB, QUICK
from targets import DuckdbTarget, RedshiftTarget
from throughput import LOADERS

NAME = "W7"
TABLES, ROWS = 20, 5_000 if QUICK else 50_000
LANES = 4
STORE_SECONDS = 0.05  # a slow one's, for each request
TITLE = f"{TABLES * ROWS} changed rows in {TABLES} tables, through S3 into a stand-in for Redshift"
SHARE = ROWS // 10
BATCHES = 4
WIDE_ROWS = 11_000 if QUICK else 110_000
MIB = 1 << 20


def statements(text):
    return "".join(text.format(table=f"t{number}") for number in range(1, TABLES + 1))


class Bench:
    """The source, and how often its rows were changed."""

    def __init__(self, server):
        self.server, self.rounds = server, 0

    def change(self):
        """Gives how many rows each table's changes have: eight tenths updates, deletes, inserts."""
        first = 1 + self.rounds * SHARE
        self.rounds += 1
        self.server.psql(
            "BEGIN;" + statements(f"UPDATE {{table}} SET n = n + 1 WHERE id >= {first + SHARE} AND id < {first + 9 * SHARE};"
                                  f"DELETE FROM {{table}} WHERE id < {first + SHARE};"
                                  f"INSERT INTO {{table}} SELECT g, 0, md5(g::text), now(), g * 1.5 FROM"
                                  f" generate_series({first + ROWS}, {first + ROWS + SHARE - 1}) g;")
            + "COMMIT; INSERT INTO marker DEFAULT VALUES; CHECKPOINT;")
        return TABLES * ROWS

    def load(self, daemon, options):
        """Changes rows; gives seconds to have them loaded, and microseconds of CPU a row until they are staged."""
        rows = self.change()
        daemon.configure(options)
        measured = measure.run(daemon.command("run", "--until", "now"), errors=daemon.log,
                               environment=daemon.environment)
        if measured.code:
            raise daemon.error(f"run --until now: exit code {measured.code}")
        daemon.compare([("public", f"t{number}") for number in range(1, TABLES + 1, TABLES // 4)])
        staged = sum(seconds for name, seconds in measured.threads.items() if name not in LOADERS)
        return measured.seconds, staged / rows * 1e6


def first_load(daemon):
    """The rows that are changed later."""
    code, _, said = daemon.run("run", "--until", "now", seconds=1200)
    if code:
        raise daemon.error(f"run --until now: exit code {code}\n{said}")


def watched(target, work):
    """What WORK gives, the statements that the target got of it, and the objects put, as S3Fake has them."""
    said, put = len(target.standin.statements()), len(target.s3.puts)
    done = work()
    return done, target.standin.statements()[said:], target.s3.puts[put:]


def united(spans):
    """(begin, end) of what the spans cover, in order, without those that touch."""
    covered = []
    for begin, end in sorted(spans):
        if covered and begin <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], end))
        else:
            covered.append((begin, end))
    return covered


def length(spans):
    return sum(end - begin for begin, end in spans)


def share_beside(spans, others):
    """How much of the time that SPANS cover OTHERS cover too."""
    both = [(max(begin, other), min(end, other_end)) for begin, end in united(spans)
            for other, other_end in united(others) if max(begin, other) < min(end, other_end)]
    return length(both) / length(united(spans))


def report_overlap(target, daemon, bench, results):
    """Uploads of one batch beside the load of another: a batch for each of some transactions that fit into memory, and a
    slow store."""

    def changes():
        for _ in range(BATCHES - 1):
            bench.change()
        return bench.load(daemon, {"warehouse.lanes": LANES, "batch.memory": f"{4 * MEMORY_MIB}MiB"})

    target.s3.delay = STORE_SECONDS
    _, said, puts = watched(target, changes)
    target.s3.delay = 0
    loading = [(entry["time"] - entry["seconds"], entry["time"]) for entry in said]
    share = share_beside([(begin, end) for begin, end, _ in puts], loading)
    results.add(NAME, "uploads beside loads, of their time", 100 * share, "%")


def report_large_batch(server, daemon, results):
    """One transaction whose rows need more than the memory for batches: it is staged while it is read."""
    server.psql(f"INSERT INTO wide SELECT g, repeat(md5(g::text), 300) FROM generate_series(1, {WIDE_ROWS}) g;"
                " INSERT INTO marker DEFAULT VALUES; CHECKPOINT;")
    daemon.configure({"batch.memory": f"{MEMORY_MIB}MiB"})
    measured = measure.run(daemon.command("run", "--until", "now"), errors=daemon.log, environment=daemon.environment)
    if measured.code:
        raise daemon.error(f"run --until now: exit code {measured.code}")
    daemon.compare([("public", "wide")])
    results.add(NAME, f"{WIDE_ROWS * 9600 / MIB:.0f} MiB in one batch", measured.seconds, "s")
    results.add(NAME, "peak memory", measured.rss_bytes / MIB, "MiB")


def report(server, folder, results):
    create_marker(server)
    server.psql("CREATE TABLE public.wide (id int PRIMARY KEY, v text)")
    server.psql(statements("CREATE TABLE public.{table} (id int PRIMARY KEY, n int, v text, at timestamptz, d numeric(12,2));"
                           f"INSERT INTO {{table}} SELECT g, 0, md5(g::text), now(), g * 1.5 FROM generate_series(1, {ROWS}) g;"))
    bench = Bench(server)
    folder.joinpath("daemon").mkdir()
    names = {"source.slot": "in_a_directory", "source.publication": "in_a_directory"}
    with Daemon(server, folder / "directory", names, target=DuckdbTarget(folder / "daemon")) as daemon:
        first_load(daemon)
        _, directory = bench.load(daemon, names)
        daemon.run("teardown", "--yes")
    with RedshiftTarget() as target, Daemon(server, folder / "redshift", target=target) as daemon:
        first_load(daemon)
        (one, _), *_ = watched(target, lambda: bench.load(daemon, {"warehouse.lanes": 1}))
        (fast, staged), said, puts = watched(target, lambda: bench.load(daemon, {"warehouse.lanes": LANES}))
        results.add(NAME, f"loaded, {LANES} lanes", fast, "s", "one lane", one)
        results.add(NAME, "statements", len(said), "")
        results.add(NAME, "commits", sum(entry["sql"] == "COMMIT" for entry in said), "")
        results.add(NAME, "objects put", len(puts), "")
        results.add(NAME, "bytes put", sum(size for *_, size in puts) / MIB, "MiB")
        results.add(NAME, "CPU to staged", staged, "us/row")
        results.add(NAME, "CPU to staged, more than to a directory", staged - directory, "us/row")
        target.s3.delay = STORE_SECONDS
        slow, _ = bench.load(daemon, {"warehouse.lanes": LANES})
        target.s3.delay = 0
        results.add(NAME, "loaded from a slow store", slow, "s", "a fast one", fast)
        report_overlap(target, daemon, bench, results)
        report_large_batch(server, daemon, results)
