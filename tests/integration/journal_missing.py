#!/usr/bin/python3
"""Goal: a daemon without its journal refuses to go on; given back, it goes on."""

import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql("INSERT INTO t DEFAULT VALUES")
        away = daemon.journal.with_name("journal.away")
        daemon.journal.rename(away)
        refusal = 'slot "re_dms" exists already, and this daemon has no journal for it'
        expect_refusal(daemon, refusal)
        daemon.journal.mkdir(exist_ok=True)
        expect_refusal(daemon, refusal)
        shutil.rmtree(daemon.journal)
        away.rename(daemon.journal)
        daemon.start().wait_ready()
        daemon.catch_up()
        print(f"equal: {daemon.compare()}")


main()
