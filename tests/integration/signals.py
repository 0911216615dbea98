#!/usr/bin/python3
"""Goal: every command ends when told to; the first signal loses nothing, the second ends at once."""

import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import JOURNALED_LSN, STAGED_LSN  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# For one step of a load, with a sanitizer too.
SECONDS = 25


def seconds_to_end(daemon, number):
    begin = time.monotonic()
    daemon.process.send_signal(number)
    return daemon.wait_end(120), time.monotonic() - begin


def before_the_target_answers(server, daemon):
    """`run --until` that was ended early is not a success."""
    server.psql("INSERT INTO t SELECT generate_series(2, 1000)")
    with DuckdbFile(str(daemon.warehouse)):
        daemon.start("--until", "now").wait("said who holds the file",
                                            lambda: "warehouse_retry" in daemon.log_text())
        code, _ = seconds_to_end(daemon, signal.SIGTERM)
    expect(code == 1, f"ended before its position: exit code {code}")
    code, _, said = daemon.run("run", "--until", "now")
    expect(code == 0, f"exit code {code}:\n{said}")
    daemon.compare()


def inside_a_transaction(server, daemon):
    """While a large transaction comes in, in the middle of a load, and waiting for the server."""
    daemon.start().wait_ready()
    for place in (None, JOURNALED_LSN, STAGED_LSN):
        lsn = server.lsn()
        with server.session() as session:
            session.must("BEGIN")
            session.must("UPDATE t SET id = -id")
            session.must("INSERT INTO t SELECT g FROM generate_series((SELECT max(abs(id)) + 1 FROM t),"
                         " (SELECT max(abs(id)) + 20000 FROM t)) g")
            session.must("COMMIT")
        if place:
            daemon.wait(f"{place} moved", lambda: daemon.position(place) > lsn)
        code, took = seconds_to_end(daemon, signal.SIGINT)
        expect(code == 0 and took < SECONDS, f"SIGINT, {place}: {code} after {took:.1f} s")
        daemon.start().wait_ready()
    daemon.catch_up()
    daemon.compare()
    server.stop()
    daemon.wait("waits for the server", lambda: daemon.get("/readyz")[0] != 200)
    code, took = seconds_to_end(daemon, signal.SIGTERM)
    expect(code == 0 and took < 10, f"SIGTERM while the server is away: {code} after {took:.1f} s")


def without_a_server(daemon):
    daemon.start().wait("waits for the server", lambda: daemon.get("/readyz")[0] == 503)
    code, took = seconds_to_end(daemon, signal.SIGTERM)
    expect(code == 0 and took < 5, f"SIGTERM at a start without a server: {code} after {took:.1f} s")
    daemon.start("--until", "now").wait("waits for the server", lambda: daemon.get("/readyz")[0] == 503)
    code, took = seconds_to_end(daemon, signal.SIGTERM)
    expect(code == 1 and took < 5, f"--until without a server: {code} after {took:.1f} s")


def loaded_lsn(daemon):
    with DuckdbFile(str(daemon.warehouse)) as duck:
        return duck.value("SELECT complete_lsn FROM re_dms.position")


def in_a_load(server, daemon):
    """A large load is rolled back, no table is set aside, and the next start loads the same."""
    server.start()
    daemon.start().wait_ready()
    daemon.catch_up()
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    before, said = loaded_lsn(daemon), len(daemon.log_text())
    server.psql("UPDATE t SET id = id - 1000000")
    daemon.environment["RE_DMS_FAILPOINT"] = "load-before=stop"
    daemon.start().wait("it stands in a load", daemon.stands_still)
    del daemon.environment["RE_DMS_FAILPOINT"]
    daemon.process.send_signal(signal.SIGTERM)
    code, took = seconds_to_end(daemon, signal.SIGCONT)
    expect(code == 0 and took < 5, f"SIGTERM in a load: {code} after {took:.1f} s")
    expect(loaded_lsn(daemon) == before, f"loaded up to {loaded_lsn(daemon)}, not {before}")
    log = daemon.log_text()[said:]
    expect("load_retry" not in log and "set_aside" not in log, "an interrupted load is no failed one")
    daemon.start().wait_ready()
    daemon.catch_up()
    print(f"equal: {daemon.compare()}")
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")


def twice(server, daemon):
    """Both signals at once, before a large load: the second ends the process."""
    server.psql("UPDATE t SET id = id + 1000000")
    daemon.environment["RE_DMS_FAILPOINT"] = "load-before=stop"
    daemon.start().wait("it stands in a load", daemon.stands_still)
    del daemon.environment["RE_DMS_FAILPOINT"]
    # It cannot act on the first before the second is there too.
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.send_signal(signal.SIGINT)
    code, took = seconds_to_end(daemon, signal.SIGCONT)
    expect(code == 1 and took < 5, f"two signals: {code} after {took:.1f} s")
    daemon.start().wait_ready()
    server.psql("INSERT INTO t VALUES (0)")
    daemon.catch_up()
    print(f"equal: {daemon.compare()}")


def main():
    with scenario("CREATE TABLE public.t (id bigint PRIMARY KEY)") as (server, daemon):
        code, _, said = daemon.run("run", "--until", "now")
        expect(code == 0, f"exit code {code}:\n{said}")
        server.psql("INSERT INTO t VALUES (1)")
        before_the_target_answers(server, daemon)
        inside_a_transaction(server, daemon)
        without_a_server(daemon)
        in_a_load(server, daemon)
        twice(server, daemon)


main()
