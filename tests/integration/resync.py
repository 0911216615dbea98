#!/usr/bin/python3
"""Goal: `re_dms resync` copies tables anew, on an idle server and under traffic, those too that wait for a person, and
whatever kills the daemon before the copy is there; it refuses names that no table has."""

import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.quiet (id int PRIMARY KEY, v text); INSERT INTO public.quiet VALUES (1, 'one'), (2, 'two');
CREATE TABLE public.far (id int PRIMARY KEY, at timestamp);"""
OPTIONS = {"source.include": [*traffic.INCLUDE, "public.*"], "table": [{"match": "public.far", "bad_values": "error"}]}


def resync(daemon, *words, code=0):
    found, printed, said = daemon.run("resync", *words)
    expect(found == code, f"resync {words} ends with {found}: {printed}{said}")
    return printed + said


def wait_copied(daemon):
    daemon.wait("all are live again", lambda: daemon.said(COMING) == [])


def killed_before_the_copy(server, daemon):
    """Whoever has doubts wait for a person has decided already where one asked for the copy."""
    daemon.configure({**OPTIONS, "source.on_doubt": "set_aside"})
    daemon.environment["RE_DMS_FAILPOINT"] = "copy-begun"
    daemon.start().wait_ready()
    server.psql("ALTER TABLE quiet RENAME id TO number; INSERT INTO quiet VALUES (5)")
    daemon.wait("set aside", lambda: [entry["table"] for entry in daemon.said(NOT_LIVE)] == ["public.quiet"])
    with daemon.target.open() as duck:
        shown = duck.value("SELECT state FROM re_dms.tables WHERE source_table = 'quiet'")
    expect(shown == "set aside", f"the target says the same: {shown}")
    resync(daemon, "public.quiet")
    expect(daemon.wait_end(60) == -signal.SIGKILL, "it is killed")
    del daemon.environment["RE_DMS_FAILPOINT"]
    daemon.start().wait_ready()
    wait_copied(daemon)
    expect(daemon.said(NOT_LIVE) == [], f"nobody is asked again: {daemon.said(NOT_LIVE)}")
    daemon.compare([("public", "quiet")])
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        traffic.create_tables(server)
        said = resync(daemon, "public.quiet", code=1)
        expect("not running" in said, said)
        live = len(traffic.TABLES) + 3
        daemon.start().wait_ready().wait_live(live)
        with daemon.target.open(writable=True) as duck:
            duck.execute("UPDATE public.quiet SET v = 'damaged'")
        printed = resync(daemon, "public.qui*")
        expect(printed == "public.quiet is copied anew\n", printed)
        daemon.wait_copied_anew("public.quiet", "somebody asked")
        daemon.compare([("public", "quiet")])

        # What the stream said of it last is its old shape.
        server.psql("INSERT INTO quiet VALUES (3, 'three')")
        daemon.catch_up()
        server.psql("ALTER TABLE quiet DROP COLUMN v")
        since = len(daemon.log_text())
        resync(daemon, "public.quiet")
        daemon.wait_copied_anew("public.quiet", "somebody asked", since=since)
        server.psql("INSERT INTO quiet VALUES (4)")
        daemon.catch_up()
        daemon.compare([("public", "quiet")])

        # It waits for a person, who mends it.
        server.psql("INSERT INTO far VALUES (1, '294276-12-31')")
        daemon.wait("set aside", lambda: daemon.said(NOT_LIVE))
        server.psql("DELETE FROM far; INSERT INTO far VALUES (2, '2024-02-29')")
        resync(daemon, "far")
        daemon.wait("no longer", lambda: daemon.said(NOT_LIVE) == [])
        wait_copied(daemon)
        daemon.compare([("public", "far")])

        expect("no table matches" in resync(daemon, "quiet", "missing", code=2), "a name that no table has")
        expect("--all" in resync(daemon, code=2), "without names it is refused")
        with traffic.Traffic(server, clients=3, pause=0.01, columns=150) as load:
            for _ in range(3):
                load.run_for(1)
                resync(daemon, "--all")
        traffic.touch_tables(server)
        wait_copied(daemon)
        daemon.catch_up(120)
        daemon.wait_live(live)
        counts = daemon.compare([*traffic.TABLES, ("public", "quiet"), ("public", "far")])
        expect("re_dms_tables_copied_anew_total 0" in daemon.get("/metrics")[1], "what is asked for is no doubt")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        killed_before_the_copy(server, daemon)
    print(f"equal after {load.transactions} transactions: {counts}")


main()
