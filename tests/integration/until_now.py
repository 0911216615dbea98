#!/usr/bin/python3
"""Goal: run --until now loads what was committed before, of tables too that are new, also where somebody else or a run
that was killed published them, and exits 0."""

import json
import re
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from holding_proxy import HoldingProxy  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id serial PRIMARY KEY, a text);
CREATE TABLE public.filled (id int PRIMARY KEY); INSERT INTO public.filled SELECT generate_series(1, 100)"""

# Of the thread that finds the end; it may wait for a lock too.
ROUNDS = 20


def until_now(daemon):
    code, _, said = daemon.run("run", "--until", "now")
    expect(code == 0, f"exit code {code}:\n{said}")
    return [json.loads(line) for line in said.splitlines()]


def rounds(daemon, thread):
    """How often the daemon's THREAD has waited so far; 0 once it has ended."""
    try:
        for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
            if (task / "comm").read_text(encoding="utf-8").strip() == thread:
                status = (task / "status").read_text(encoding="utf-8")
                return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1])
    except OSError:
        pass
    return 0


def late(server, daemon, options):
    """All that it is to load is loaded, and what the stream brings comes only when it could have ended: the publication
    was looked at, and whoever finds the end has looked for it since."""
    since = len(daemon.log_text())
    with HoldingProxy(server) as proxy:
        daemon.configure({"source.url": proxy.url(), **options})
        proxy.hold()
        daemon.start("--until", "0/1", "-v")
        daemon.wait("it looked at the publication", lambda: '"publication_seen"' in daemon.log_text()[since:])
        before = rounds(daemon, "fold")
        daemon.wait("it looked for the end", lambda: rounds(daemon, "fold") >= before + ROUNDS)
        proxy.let_go()
        found = daemon.wait_end(120)
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
