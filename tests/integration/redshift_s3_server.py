#!/usr/bin/python3
"""Goal: through a real S3 server, which checks signatures, rows and changes reach the stand-in for Redshift, with a copy
of what was there, random traffic and kill -9; what is loaded is taken away from the server."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from s3_server import S3Server  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

ROWS = 20000
TRANSACTIONS = 200
KILLS = 3


def staged(daemon):
    """The objects of batches, without those of a daemon that ended before."""
    return daemon.target.s3.keys("stage")


def main():
    target = RedshiftTarget(s3=S3Server(buckets=("stage",)))
    with scenario(options={"source.include": traffic.INCLUDE}, target=target) as (server, daemon):
        traffic.create_tables(server)
        server.psql(f"INSERT INTO int_key (id, n, note) SELECT -g, g, repeat(md5(g::text), 20) FROM generate_series(1, {ROWS}) g")
        daemon.start().wait_ready()
        with traffic.Traffic(server, clients=3, pause=0.02) as load:
            for kill in range(1, KILLS + 1):
                load.run_for(transactions=kill * TRANSACTIONS)
                daemon.kill()
                daemon.start().wait_ready()
        daemon.catch_up()
        counts = daemon.compare(traffic.TABLES)
        print(f"equal after {load.transactions} transactions and {KILLS} kills: {counts}; {len(staged(daemon))} objects left")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        expect(not staged(daemon), f"objects are left: {staged(daemon)[:5]}")


main()
