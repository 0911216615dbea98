#!/usr/bin/python3
"""Goal: random traffic on tables of every identity kind, with added columns, ends equal."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from scenario import scenario  # noqa: E402

SECONDS = 20


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with scenario(options={"source.include": traffic.INCLUDE}) as (server, daemon):
        traffic.create_tables(server)
        daemon.start().wait_ready()
        with traffic.Traffic(server, seed=seed, clients=3, pause=0.01, columns=150) as load:
            load.run_for(SECONDS)
        traffic.touch_tables(server)
        daemon.catch_up(120)
        counts = daemon.compare(traffic.TABLES)
    print(f"equal after {load.transactions} transactions: {counts}")


main()
