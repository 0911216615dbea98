#!/usr/bin/python3
"""Goal: a server without logical WAL is refused with what to set; one without a free walsender is waited for."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import subprocess  # noqa: E402
import time  # noqa: E402
from contextlib import contextmanager  # noqa: E402

from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402

NOT_LOGICAL = {"wal_level": "replica", "max_wal_senders": "1"}


@contextmanager
def another_reader(server, folder):
    """Has the only walsender while this lasts."""
    with subprocess.Popen([server.bin / "pg_receivewal", "-D", folder, "--no-loop"],
                          env=server.environment(), stderr=subprocess.DEVNULL) as other:
        try:
            while server.value("SELECT count(*) FROM pg_stat_replication") == "0":
                expect(other.poll() is None, "pg_receivewal ended")
                time.sleep(0.05)
            yield
        finally:
            other.kill()


def main():
    with scenario("CREATE TABLE public.t (id int PRIMARY KEY)", settings=NOT_LOGICAL) as (server, daemon):
        for see in (expect_check, expect_refusal):
            see(daemon, "wal_level", "replica", "Set wal_level = logical and restart PostgreSQL")
        server.psql("ALTER SYSTEM SET wal_level = logical")
        server.restart()
        with another_reader(server, daemon.folder):
            expect_check(daemon, "1 of 1 in use", "raise max_connections or max_wal_senders")
            daemon.start()
            daemon.wait("status says it", lambda: "max_wal_senders" in daemon.status().get("reason", ""))
        daemon.wait_ready()
        server.psql("INSERT INTO t VALUES (1)")
        daemon.catch_up()
        daemon.compare()


main()
