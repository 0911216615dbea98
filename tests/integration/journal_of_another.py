#!/usr/bin/python3
"""Goal: a journal of another slot, publication or cluster is refused by check and run, and is left as it is."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from postgres import Postgres  # noqa: E402
from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        with Postgres(own_identity=True) as other:
            for options, words in (
                    ({"source.slot": "two"}, ["belongs to slot", "source.slot is", "two"]),
                    ({"source.publication": "two"}, ["belongs to publication", "source.publication is"]),
                    ({"source.url": other.url()}, ["belongs to the cluster", "Point source.url at"])):
                daemon.configure(options)
                expect_check(daemon, *words)
                expect_refusal(daemon, *words)
            expect(other.value("SELECT count(*) FROM pg_replication_slots") == "0", "nothing is made there")
        daemon.configure({})
        (daemon.journal / "origin.json").rename(daemon.folder / "origin.json")
        (daemon.journal / "origin.json").write_text("{", encoding="utf-8")
        for see in (expect_check, expect_refusal):
            see(daemon, "origin.json", "cannot be read", "Restore it")
        (daemon.folder / "origin.json").replace(daemon.journal / "origin.json")
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.start().wait_ready()
        daemon.catch_up()
        daemon.compare()


main()
