#!/usr/bin/python3
"""Goal: run --until now loads what was committed before and exits 0."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402


def until_now(daemon):
    code, _, said = daemon.run("run", "--until", "now")
    expect(code == 0, f"exit code {code}:\n{said}")


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY, a text)") as (server, daemon):
        until_now(daemon)
        server.psql("INSERT INTO t (a) SELECT i FROM generate_series(1, 1000) i; DELETE FROM t WHERE id < 5;")
        until_now(daemon)
        daemon.compare()
        until_now(daemon)
        for _ in range(5):
            server.psql("UPDATE t SET a = a || '.'; INSERT INTO t (a) VALUES ('x');")
            until_now(daemon)
        print(f"equal: {daemon.compare()}")


main()
