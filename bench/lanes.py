"""Changed rows of some tables through S3 into a stand-in for Redshift, which loads them by a PostgreSQL of its own: seconds
say how lanes, store and daemon work together, and nothing about a cluster."""


import measure
from daemon import Daemon, create_marker
from settings import QUICK
from targets import DuckdbTarget, RedshiftTarget
from throughput import LOADERS

NAME = "W7"
TABLES, ROWS = 20, 5_000 if QUICK else 50_000
LANES = 4
STORE_SECONDS = 0.05  # a slow one's, for each request
TITLE = f"{TABLES * ROWS} changed rows in {TABLES} tables, through S3 into a stand-in for Redshift"
SHARE = ROWS // 10


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


def counted(target, work):
    """What WORK does, with statements, commits, files and bytes put of it."""
    said, asked = len(target.standin.statements()), len(target.s3.requests)
    done = work()
    texts = [entry["sql"] for entry in target.standin.statements()[said:]]
    puts = sum(method == "PUT" for method, _ in target.s3.requests[asked:])
    return done, len(texts), texts.count("COMMIT"), puts


def report(server, folder, results):
    create_marker(server)
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
        (one, _), *_ = counted(target, lambda: bench.load(daemon, {"warehouse.lanes": 1}))
        (fast, staged), said, commits, puts = counted(target, lambda: bench.load(daemon, {"warehouse.lanes": LANES}))
        results.add(NAME, f"loaded, {LANES} lanes", fast, "s", "one lane", one)
        results.add(NAME, "statements", said, "")
        results.add(NAME, "commits", commits, "")
        results.add(NAME, "objects put", puts, "")
        results.add(NAME, "CPU to staged", staged, "us/row")
        results.add(NAME, "CPU to staged, more than to a directory", staged - directory, "us/row")
        target.s3.delay = STORE_SECONDS
        slow, _ = bench.load(daemon, {"warehouse.lanes": LANES})
        results.add(NAME, "loaded from a slow store", slow, "s", "a fast one", fast)
