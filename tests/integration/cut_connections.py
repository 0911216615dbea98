#!/usr/bin/python3
"""Goal: connections to the server end over and over at random bytes, in transactions of every size;
the target ends equal, and what was begun of a transaction that was cut off is dropped."""

import random
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from cutting_proxy import CuttingProxy  # noqa: E402
from daemon import find_binary  # noqa: E402
from scenario import scenario  # noqa: E402

# Larger than what begins a batch of its own (architecture.md, Large transactions).
LARGE = """
CREATE TABLE public.large (id int PRIMARY KEY, pad text);
"""
FILL = """
TRUNCATE large;
INSERT INTO large SELECT g, repeat(md5(g::text), 25) FROM generate_series(1, 30000) g;
"""
MIB = 1 << 20
# What is done, how far connections get at most, and how many are to end: in small transactions, and in
# a large one, before which nothing gets on.
ROUNDS = (("", MIB, 5), (FILL, 20 * MIB, 2))


def aborts(daemon):
    """How many transactions that were begun and dropped the journal still holds."""
    done = subprocess.run([find_binary(), "journal", "inspect", str(daemon.journal), "--json"],
                          capture_output=True, text=True, check=False)
    return sum(map(int, re.findall(r'"aborts":\s*(\d+)', done.stdout)))


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
    with scenario(LARGE) as (server, daemon), CuttingProxy(server, seed) as proxy:
        traffic.create_tables(server)
        daemon.configure({"source.url": proxy.url(), "source.include": traffic.INCLUDE})
        daemon.start().wait_ready()
        with traffic.Traffic(server, seed=seed, clients=2, pause=0.01) as load:
            for sql, most, cuts in ROUNDS:
                server.psql(sql)
                proxy.most, wanted = most, proxy.cuts + cuts
                # Those that live on without a limit end here.
                server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name LIKE 're_dms%'")
                daemon.wait(f"{cuts} cuts within {most} bytes", lambda: proxy.cuts >= wanted)
                print(f"{proxy.cuts} cuts, within {most} bytes", flush=True)
            # Of the large transaction, which gets on to its end only now.
            daemon.wait("what was begun is dropped", lambda: aborts(daemon))
            proxy.most = None
        daemon.catch_up(120)
        counts = daemon.compare(traffic.TABLES + [("public", "large")])
    print(f"equal after {proxy.cuts} cuts and {load.transactions} transactions: {counts}")


main()
