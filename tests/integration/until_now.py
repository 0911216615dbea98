#!/usr/bin/python3
"""Goal: run --until now loads what was committed before, of tables too that are new, also where somebody else or a run
that was killed published them, and exits 0."""

import json
import signal
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from holding_proxy import HoldingProxy  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id serial PRIMARY KEY, a text);
CREATE TABLE public.filled (id int PRIMARY KEY); INSERT INTO public.filled SELECT generate_series(1, 100)"""


def until_now(daemon):
    code, _, said = daemon.run("run", "--until", "now")
    expect(code == 0, f"exit code {code}:\n{said}")
    return [json.loads(line) for line in said.splitlines()]


def late(server, daemon, options):
    """All that it is to load is loaded, and what the stream brings comes only when it could have ended."""
    with HoldingProxy(server) as proxy:
        daemon.configure({"source.url": proxy.url(), **options})
        proxy.hold()
        daemon.start("--until", "0/1")
        letting_go = threading.Timer(2, proxy.let_go)
        letting_go.start()
        found = daemon.wait_end(120)
        letting_go.join()
        expect(found == 0, f"exit code {found}:\n{daemon.log_text()}")


def main():
    with scenario(TABLES) as (server, daemon):
        copied = [(line["tables"], line["rows"]) for line in until_now(daemon) if line["event"] == "copies_done"]
        expect(copied == [(1, 100)], f"the log says what was copied before it ended: {copied}")
        server.psql("INSERT INTO t (a) SELECT i FROM generate_series(1, 1000) i; DELETE FROM t WHERE id < 5;")
        until_now(daemon)
        daemon.compare()
        until_now(daemon)
        for _ in range(5):
            server.psql("UPDATE t SET a = a || '.'; INSERT INTO t (a) VALUES ('x');")
            until_now(daemon)
        for number in range(3):
            server.psql(f"CREATE TABLE public.fresh{number} (id int PRIMARY KEY); INSERT INTO fresh{number} VALUES (1)")
            until_now(daemon)
            daemon.compare([("public", f"fresh{number}")])
        server.psql("CREATE TABLE public.met (id int PRIMARY KEY); INSERT INTO met VALUES (1)")
        daemon.environment["RE_DMS_FAILPOINT"] = "publish-table-after"
        code, _, said = daemon.run("run", "--until", "now")
        expect(code == -signal.SIGKILL, f"it is killed once the table is published: {code}\n{said}")
        del daemon.environment["RE_DMS_FAILPOINT"]
        late(server, daemon, {})
        daemon.compare([("public", "met")])
        server.psql("CREATE TABLE public.theirs (id int PRIMARY KEY); INSERT INTO theirs VALUES (1);"
                    " ALTER PUBLICATION re_dms ADD TABLE theirs")
        late(server, daemon, {"source.auto_setup": False})
        print(f"equal: {daemon.compare()}")


main()
