#!/usr/bin/python3
"""Goal: a table whose loads fail holds the others up no longer than until `re_dms pause` is asked for it, in the middle of
its batch too; copied rows that cannot be loaded hold up no table that is followed, and what a person asked for stays."""

import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

NAMES = ["slow", "fine1", "fine2", "fine3"]
TABLES = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, n int);"
                 f" INSERT INTO {name} SELECT g, 0 FROM generate_series(1, 9) g;" for name in NAMES)
FINE = [("public", name) for name in NAMES[1:]]
ALWAYS = 100_000
PAUSED = ("tables", "paused")
BEFORE_COMMIT, AFTER_COMMIT = "redshift-grant-commit-before", "redshift-grant-commit-after"
# A table that fails alone is given up after ten times the longest pause: in five minutes, and soon.
PATIENT, SOON = "5,30000", "5,20"


def change(names):
    return "BEGIN;" + "".join(f"UPDATE {name} SET n = n + 1;" for name in names) + "COMMIT;"


def ask(daemon, *words):
    code, printed, said = daemon.run(*words)
    expect(code == 0, f"{words} ends with {code}: {printed}{said}")


def wait_paused(daemon):
    daemon.wait("paused", lambda: [entry["table"] for entry in daemon.said(PAUSED) or []] == ["public.slow"])


def wait_tries(daemon, since, count):
    daemon.wait("tries", lambda: daemon.log_text()[since:].count('"load_retry"') >= count)


def resume(server, daemon):
    ask(daemon, "resume", "public.slow")
    daemon.wait("all are live", lambda: daemon.said(COMING) == [] and not daemon.said(NOT_LIVE)
                and daemon.said(PAUSED) == [] and daemon.said(("tables", "live")) == len(NAMES) + 1)
    server.psql(change(NAMES))
    daemon.catch_up()
    daemon.compare()


def restart(daemon, pauses):
    if daemon.running():
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    daemon.environment["RE_DMS_RETRY_MS"] = pauses
    daemon.start().wait_ready().wait_live(len(NAMES) + 1)


def pause_in_the_middle(server, daemon):
    """Every statement on its rows is refused, and five minutes are not over."""
    restart(daemon, PATIENT)
    since = len(daemon.log_text())
    daemon.target.standin.fail('"public"."slow"', known="timeout", times=ALWAYS)
    server.psql(change(NAMES))
    wait_tries(daemon, since, 5)
    server.psql(change(NAMES))
    ask(daemon, "pause", "public.slow")
    wait_paused(daemon)
    server.psql(change(NAMES))
    daemon.catch_up()
    daemon.compare(FINE)
    daemon.target.standin.clear_faults()
    resume(server, daemon)
    said = daemon.log_text()[since:]
    expect('"table_waits"' not in said and '"table_resumed"' in said, "it goes on where it stood, without a copy")


def killed_while_it_is_granted(server, daemon, failpoint):
    """In the middle of the batch, of which the others may have taken their part: each daemon knows what is paused."""
    restart(daemon, PATIENT)
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    daemon.environment["RE_DMS_FAILPOINT"] = failpoint
    daemon.start().wait_ready()
    since = len(daemon.log_text())
    daemon.target.standin.fail('"public"."slow"', known="timeout", times=ALWAYS)
    server.psql(change(NAMES))
    wait_tries(daemon, since, 5)
    daemon.run("pause", "public.slow")
    expect(daemon.wait_end(60) == -signal.SIGKILL, "it is killed")
    del daemon.environment["RE_DMS_FAILPOINT"]
    daemon.start().wait_ready()
    if failpoint == BEFORE_COMMIT:
        ask(daemon, "pause", "public.slow")
    wait_paused(daemon)
    server.psql(change(NAMES))
    daemon.catch_up()
    daemon.compare(FINE)
    daemon.target.standin.clear_faults()
    resume(server, daemon)
    expect('"table_waits"' not in daemon.log_text()[since:], "it goes on where it stood, without a copy")


def fail_copy(server, daemon):
    oid = server.value("SELECT 'slow'::regclass::oid")
    daemon.target.standin.fail(f'^COPY "public"."re_dms_copy_{oid}"', known="timeout", times=ALWAYS)


def copy_holds_nobody_up(server, daemon):
    """Its rows are tried again and again, while those of the others are loaded."""
    restart(daemon, PATIENT)
    fail_copy(server, daemon)
    since = len(daemon.log_text())
    ask(daemon, "resync", "public.slow")
    for tries in range(3, 6):
        wait_tries(daemon, since, tries)
        server.psql(change(NAMES))
        daemon.catch_up(coming=["public.slow"])
        daemon.compare(FINE)
    ask(daemon, "pause", "public.slow")
    wait_paused(daemon)
    daemon.target.standin.clear_faults()
    resume(server, daemon)


def pause_of_one_that_is_given_up(server, daemon):
    """The COMMIT by which it would wait for another copy fails until somebody has paused it."""
    restart(daemon, SOON)
    fail_copy(server, daemon)
    standin = daemon.target.standin
    standin.fail("^COMMIT", behind="alone fail again and again", known="serializable", times=ALWAYS)
    ask(daemon, "resync", "public.slow", "public.fine1")
    daemon.wait("it is given up", lambda: standin.faults()[1]["fired"] > 1)
    ask(daemon, "pause", "public.slow")
    wait_paused(daemon)
    standin.clear_faults()
    daemon.wait("the other of its batch is live", lambda: daemon.said(COMING) == []
                and daemon.said(("tables", "live")) == len(NAMES))
    wait_paused(daemon)
    expect(not daemon.said(NOT_LIVE), "nobody waits for a copy")
    resume(server, daemon)


def main():
    with scenario(TABLES, options={"batch.interval": "50ms"}, target=RedshiftTarget()) as (server, daemon):
        pause_in_the_middle(server, daemon)
        for failpoint in (BEFORE_COMMIT, AFTER_COMMIT):
            killed_while_it_is_granted(server, daemon, failpoint)
        copy_holds_nobody_up(server, daemon)
        pause_of_one_that_is_given_up(server, daemon)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    print("a failing table was paused, and the others went on")


main()
