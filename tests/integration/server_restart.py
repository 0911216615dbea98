#!/usr/bin/python3
"""Goal: the server restarts under traffic, fast, immediate and killed; the daemon goes on by itself."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from scenario import scenario  # noqa: E402

SECONDS_BETWEEN = 3


def main():
    with scenario(options={"source.include": traffic.INCLUDE}) as (server, daemon):
        traffic.create_tables(server)
        daemon.start().wait_ready()
        with traffic.Traffic(server, clients=3, pause=0.02) as load:
            for mode in ("fast", "immediate", "kill", "fast"):
                load.run_for(SECONDS_BETWEEN)
                print(f"{mode}: stopped in {server.restart(mode, 20):.2f} s", flush=True)
                daemon.wait_ready(60)
            load.run_for(SECONDS_BETWEEN)
        daemon.catch_up(120)
        counts = daemon.compare(traffic.TABLES)
    print(f"equal after {load.transactions} transactions: {counts}")


main()
