#!/usr/bin/python3
"""Shows the way to Redshift on this machine: a throwaway PostgreSQL with rows in it, traffic, the daemon, an S3 server in
memory and the stand-in for Redshift (not Redshift itself), a kill -9, a new column, and both sides compared.

    demo.py [--rows N] [--seconds N]
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, LOADED_LSN, Daemon, create_marker  # noqa: E402
from postgres import Postgres, PostgresError  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, since timestamptz DEFAULT now());
CREATE TABLE orders (customer int, number int, total numeric(12,2), state text, note text, PRIMARY KEY (customer, number));
CREATE TABLE visits (at timestamptz, page text, millis real); ALTER TABLE visits REPLICA IDENTITY FULL;
INSERT INTO customers SELECT g, 'Customer ' || g, 'c' || g || '@example.com' FROM generate_series(1, {rows}) g;
INSERT INTO orders SELECT g % {rows} + 1, g, g % 1000 / 7.0, 'new', repeat(md5(g::text), 1 + g % 90)
  FROM generate_series(1, {rows}) g;"""
WORK = ["INSERT INTO orders SELECT {0}, {1}, {0} / 3.0, 'new', repeat('long ', 2000) ON CONFLICT DO NOTHING",
        "UPDATE orders SET state = 'sent' WHERE customer BETWEEN {0} AND {0} + 5",
        "UPDATE customers SET name = 'Renamed {1}' WHERE id = {0}", "DELETE FROM orders WHERE customer = {0}",
        "INSERT INTO visits SELECT now(), 'page ' || {0} % 5, 1.5 FROM generate_series(1, 5)",
        "DELETE FROM visits WHERE ctid IN (SELECT ctid FROM visits LIMIT 3)"]
SEEN = "SELECT state, count(*) AS orders, sum(total) AS total FROM public.orders GROUP BY state ORDER BY state"


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


class Work:
    """`with` it a client changes rows."""

    def __init__(self, server, rows):
        self.done, self._server, self._rows = 0, server, rows
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        with self._server.session() as session:
            while not self._stop.wait(0.002):
                try:
                    session.run(random.choice(WORK).format(random.randrange(1, self._rows), random.randrange(1 << 30)))
                    self.done += 1
                except PostgresError:
                    pass


def show(server, daemon, arguments):
    server.psql(TABLES.format(rows=arguments.rows))
    say(f"PostgreSQL has {2 * arguments.rows:,} rows in three tables, and clients begin to change them")
    with Work(server, arguments.rows) as work:
        daemon.start().wait_ready()
        began = time.monotonic()
        daemon.wait("all tables are live", lambda: daemon.said(COMING) == [] and daemon.said(("tables", "live")) == 4, 300)
        say(f"re_dms has copied them through S3 and COPY in {time.monotonic() - began:.1f} s, while they changed")
        time.sleep(arguments.seconds / 3)
        server.psql("ALTER TABLE orders ADD COLUMN priority int DEFAULT 3")
        say("a column was added to orders; nobody told re_dms")
        time.sleep(arguments.seconds / 3)
        daemon.kill()
        say("re_dms was killed with -9")
        daemon.start()
        daemon.wait("it loads again", lambda: daemon.said(LOADED_LSN))
        say("it runs again and goes on where Redshift stands")
        time.sleep(arguments.seconds / 3)
    daemon.catch_up(300)
    say(f"{work.done:,} transactions later the traffic ends; both sides are compared, every row and every value")
    return daemon.compare()


def tell(daemon, counts):
    statements = daemon.target.standin.statements()
    kinds = Counter(entry["sql"].split(None, 1)[0].upper() for entry in statements if entry["result"] == "ok")
    loads = daemon.target.value("SELECT count(DISTINCT load) FROM re_dms.loads")
    print("\nEqual:", ", ".join(f"{schema}.{table} {rows:,} rows" for (schema, table), rows in counts.items()))
    print(f"{loads} loads took {kinds['COPY']} COPY, {kinds['COMMIT']} COMMIT and {sum(kinds.values())} statements in all\n")
    print(SEEN)
    for state, orders, total in daemon.target.query(SEEN):
        print(f"  {state:10} {int(orders):10,} {total:>16}")
    print("\nThis was a stand-in that refuses what Redshift refuses (docs/redshift_standin.md), not Redshift itself.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=15)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="re_dms_demo."))
    os.environ.setdefault("RE_DMS_RETRY_MS", "10,1000")
    say("a throwaway PostgreSQL, an S3 server in memory and the stand-in for Redshift start")
    try:
        with Postgres() as server, RedshiftTarget() as target:
            create_marker(server)
            with Daemon(server, folder, {"batch.interval": "1s"}, target=target) as daemon:
                tell(daemon, show(server, daemon, arguments))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
