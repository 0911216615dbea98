#!/usr/bin/python3
"""Goal: a daemon whose slot somebody else reads is not ready, names the reader, and goes on by itself afterwards."""

import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

SECONDS = 5


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        # Reads nothing on: it confirms no position beyond the slot's.
        with subprocess.Popen(
                [server.bin / "pg_recvlogical", "--start", "-S", "re_dms", "-f", "/dev/null", "-o",
                 "proto_version=1", "-o", "publication_names=re_dms", "-d", "postgres",
                 "--no-loop", "-s", "3600", "-F", "0"], env=server.environment()) as other:
            while server.value("SELECT active FROM pg_replication_slots") != "t":
                time.sleep(0.05)
            daemon.start()
            daemon.wait("status names the reader",
                        lambda: "is active" in daemon.status().get("reason", ""))
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                expect(daemon.get("/readyz")[0] != 200, "not ready while the slot is not its own")
                time.sleep(0.01)
            other.kill()
        daemon.wait_ready(90)
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        daemon.compare()


main()
