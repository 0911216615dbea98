#!/usr/bin/python3
"""Goal: a dropped publication ends the run with what to do, at the next change or at the start, also when made anew."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY)") as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO t DEFAULT VALUES")
        daemon.catch_up()
        before = len(daemon.log_text())
        server.psql("DROP PUBLICATION re_dms; INSERT INTO t DEFAULT VALUES")
        expect(daemon.wait_end() == 1, "it ends with 1")
        said = daemon.log_text()[before:].replace('\\"', '"')
        for word in ('publication "re_dms" does not exist', "is gone", "teardown --yes"):
            expect(word in said, f"lacks {word}: {said}")
        expect_check(daemon, '"re_dms" is gone', "re_dms teardown --yes")
        expect_refusal(daemon, "does not exist", "does not bring them back")
        # Decoding sees the catalog of that time, in which there was no publication.
        server.psql("CREATE PUBLICATION re_dms FOR TABLE t, marker")
        before = len(daemon.log_text())
        expect_refusal(daemon, "does not exist", "recreated after changes")
        expect("different servers" not in daemon.log_text()[before:], "the reason is the server's own")


main()
