#!/usr/bin/python3
"""Goal: set up, check, run, tear down by hand as an operator does; nothing is dropped under a daemon."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

THINGS = """SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)"""


def command(daemon, *arguments, code=0, words=()):
    ended, printed, said = daemon.run(*arguments)
    expect(ended == code, f"{arguments}: exit code {ended}, not {code}:\n{printed}{said}")
    missing = [word for word in words if word not in printed + said]
    expect(not missing, f"{arguments}: lacks {missing}:\n{printed}{said}")


def main():
    tables = "CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.keyless (a int);"
    with scenario(tables) as (server, daemon):
        command(daemon, "check", words=["wal_level"])
        expect(int(server.value(THINGS)) == 0, "check changes nothing")
        command(daemon, "setup", words=["public.keyless"])
        command(daemon, "setup", words=["public.keyless"])
        expect(int(server.value(THINGS)) == 2, "setup makes slot and publication")
        server.psql("INSERT INTO t VALUES (1)")
        daemon.start().wait_ready()
        command(daemon, "status", words=["streaming"])
        command(daemon, "teardown", "--yes", code=1, words=["held by"])
        server.psql("INSERT INTO t VALUES (2)")
        daemon.catch_up()
        daemon.compare([("public", "t")])
        expect(daemon.stop() == 0, "it ends with 0")
        server.wait_slots_free()
        command(daemon, "status", code=1)
        command(daemon, "teardown", words=["would drop slot", "nothing was changed"])
        expect(int(server.value(THINGS)) == 2, "without --yes nothing is dropped")
        command(daemon, "teardown", "--yes", words=["dropped slot", "dropped publication"])
        expect(int(server.value(THINGS)) == 0, "slot and publication are gone")
        expect(not list(daemon.journal.iterdir()), "the journal is gone")
        expect(daemon.warehouse.exists(), "the target stays")
        command(daemon, "teardown", "--yes", words=["does not exist"])


main()
