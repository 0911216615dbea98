#!/usr/bin/python3
"""Goal: where production's commits would wait for the daemon it refuses, at the first start, later and within a run."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_refusal, scenario  # noqa: E402


def wait_for(server, names):
    """Commits wait for the standbys NAMES from now on."""
    server.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'; SELECT pg_reload_conf();"
                "CHECKPOINT")


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        wait_for(server, "*")
        expect_refusal(daemon, "synchronous_standby_names", "commits")
        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "0", "no slot is left")
        wait_for(server, "")
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        wait_for(server, "ANY 1 (re_dms)")
        expect_refusal(daemon, "synchronous_standby_names", "commits")
        wait_for(server, "")
        daemon.start().wait_ready()
        daemon.catch_up()
        daemon.compare()


main()
