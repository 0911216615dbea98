#!/usr/bin/python3
"""Goal: a source restored from a snapshot of its volume, same timeline and slot, is refused."""

import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from cluster import copy_cluster  # noqa: E402
from scenario import expect, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.stop()
        snapshot = server.root / "snapshot"
        copy_cluster(server.data, snapshot)
        server.start()
        daemon.start().wait_ready()
        server.psql("INSERT INTO t SELECT FROM generate_series(1, 10000)")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.stop()
        shutil.rmtree(server.data)
        copy_cluster(snapshot, server.data)
        server.start()
        for _ in range(2):
            expect_refusal(daemon, "set back", "journal")


main()
