#!/usr/bin/python3
"""Goal: half a copy that Redshift does not let go of is one table's trouble, whether its load failed or somebody paused
it, whether the DROP is refused or waits for a reader, and though the answer to the COMMIT was lost: the run goes on,
says what was left, and the next copy begins anew once that can be dropped, also where the table has moved to another
schema since. What a daemon left that ended first, or was refused, goes at the next start, and nothing that is somebody
else's. So does what a daemon was at when it was killed, though its table is not copied any more but waits for a
person, as the target says too."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

# Several batches of copied rows, of several layers each, with the smallest memory.
ROWS = 14_000
TABLES = f"""
CREATE TABLE big (id int PRIMARY KEY, v text); ALTER TABLE big ALTER v SET STORAGE EXTERNAL;
INSERT INTO big SELECT g, repeat(md5(g::text), 100) FROM generate_series(1, {ROWS}) g;
CREATE SCHEMA moved;
CREATE TABLE other (id int PRIMARY KEY, n int); INSERT INTO other VALUES (1, 0);
"""
OPTIONS = {"batch.memory": "64MiB", "batch.max_row_bytes": "1MiB", "source.include": ["public.*", "moved.*"]}
SECOND_BATCH = 8
ALWAYS = 100_000
REFUSED = {"sqlstate": "2BP01", "message": "cannot drop table because other objects depend on it", "times": ALWAYS}


def statements(oid):
    """Those that load the copy of the table, and the one that drops it."""
    return (f'^{verb} "public"."re_dms_copy_{oid}"' for verb in ("COPY", "DROP TABLE IF EXISTS"))


def copies_left(daemon):
    return daemon.target.query("SELECT table_name FROM svv_tables WHERE table_name LIKE 're_dms_copy_%'")


def left(daemon, since):
    daemon.wait("it says what was left", lambda: '"copy_left"' in daemon.log_text()[since:])
    expect(len(copies_left(daemon)) == 1, f"{copies_left(daemon)}")
    daemon.server.psql("UPDATE other SET n = n + 1")
    daemon.catch_up(set_aside=True)
    daemon.compare([("public", "other")])


def brought_back(daemon):
    daemon.target.standin.clear_faults()
    code, _, said = daemon.run("resync", "public.big")
    expect(code == 0, said)
    daemon.wait("it is live", lambda: daemon.said(COMING) == [] and not daemon.said(NOT_LIVE)
                and daemon.said(("tables", "live")) == 3, 120)
    daemon.catch_up()
    daemon.compare()
    expect(copies_left(daemon) == [], f"{copies_left(daemon)}")


def starts(daemon, event):
    """Goes on with what is left, which is said as EVENT."""
    since = len(daemon.log_text())
    daemon.start().wait_ready()
    daemon.wait("it says what became of it", lambda: f'"{event}"' in daemon.log_text()[since:])


def refused_at_start(daemon):
    daemon.stop()
    starts(daemon, "copy_left")
    expect(len(copies_left(daemon)) == 1, f"{copies_left(daemon)}")
    daemon.stop()
    daemon.target.standin.clear_faults()
    starts(daemon, "copy_dropped")
    expect(copies_left(daemon) == [], f"{copies_left(daemon)}")
    # It is not asked for again.
    since = len(daemon.log_text())
    daemon.stop()
    daemon.start().wait_ready()
    expect('"copy_' not in daemon.log_text()[since:], "what is gone is gone")


def ended_before(server, daemon, copy):
    """A daemon that ends between the COMMIT of a pause and the DROP."""
    standin = daemon.target.standin
    theirs = [f"re_dms_copy_{oid}" for oid in (1, server.value("SELECT 'other'::regclass::oid"))]
    for name in theirs:
        standin.sql(f'CREATE TABLE public."{name}" (theirs int)')
    daemon.stop()
    standin.fail(copy, "delay", seconds=2, nth=SECOND_BATCH, times=ALWAYS)
    daemon.environment["RE_DMS_FAILPOINT"] = "redshift-grant-commit-after:2"
    daemon.start().wait_ready()
    code, _, said = daemon.run("resync", "public.big")
    expect(code == 0, said)
    daemon.wait("half of it is there", lambda: standin.faults()[0]["fired"])
    daemon.run("pause", "public.big")
    expect(daemon.wait_end(120) < 0, "it is killed")
    del daemon.environment["RE_DMS_FAILPOINT"]
    standin.clear_faults()
    expect(len(copies_left(daemon)) == 3, f"{copies_left(daemon)}")
    starts(daemon, "copy_dropped")
    expect(sorted(row[0] for row in copies_left(daemon)) == sorted(theirs), f"{copies_left(daemon)}")
    for name in theirs:
        standin.sql(f'DROP TABLE public."{name}"')
    code, _, said = daemon.run("resume", "public.big")
    expect(code == 0, said)
    daemon.wait_live(3, 120)
    daemon.catch_up()
    daemon.compare()


def killed_while_copying(server, daemon, copy):
    """The next daemon is to leave a table in doubt as it is."""
    standin = daemon.target.standin
    standin.fail(copy, "delay", seconds=2, nth=SECOND_BATCH, times=ALWAYS)
    server.psql("ALTER TABLE big RENAME v TO w; INSERT INTO big VALUES (0, 'new')")
    daemon.wait("half of it is there", lambda: standin.faults()[0]["fired"], 120)
    daemon.kill()
    expect(len(copies_left(daemon)) == 1, f"{copies_left(daemon)}")
    daemon.configure({**OPTIONS, "source.on_doubt": "set_aside"})
    starts(daemon, "copy_dropped")
    expect(copies_left(daemon) == [], f"{copies_left(daemon)}")
    daemon.wait("it waits for a person", lambda: [entry["table"] for entry in daemon.said(NOT_LIVE) or []]
                == ["public.big"])
    shown = daemon.target.value("SELECT state FROM re_dms.tables WHERE source_table = 'big'")
    expect(shown == "set aside", f"the target says the same: {shown}")
    brought_back(daemon)
    daemon.stop()
    daemon.configure(OPTIONS)
    daemon.start().wait_ready()


def of_a_failed_load(server, daemon):
    """And what a daemon left."""
    standin, oid = daemon.target.standin, server.value("SELECT 'big'::regclass::oid")
    copy, drop = statements(oid)
    standin.fail(copy, sqlstate="XX000", nth=SECOND_BATCH, times=ALWAYS,
                 message="Load into table 'x' failed.  Check 'stl_load_errors' system table for details.")
    standin.fail(drop, **REFUSED)
    daemon.start().wait_ready()
    daemon.wait("it waits for a person", lambda: [entry["table"] for entry in daemon.said(NOT_LIVE) or []]
                == ["public.big"], 120)
    left(daemon, 0)
    refused_at_start(daemon)
    brought_back(daemon)
    killed_while_copying(server, daemon, copy)
    ended_before(server, daemon, copy)


def of_pauses(server, daemon, *cases):
    standin, oid = daemon.target.standin, server.value("SELECT 'big'::regclass::oid")
    copy, drop = statements(oid)
    daemon.start().wait_ready().wait_live(3, 120)
    for how in cases:
        since = len(daemon.log_text())
        # Slow enough that the pause comes before the last batch.
        standin.fail(copy, "delay", seconds=2, nth=SECOND_BATCH, times=ALWAYS)
        if how != "read":
            standin.fail(drop, **REFUSED)
        code, _, said = daemon.run("resync", "public.big")
        expect(code == 0, said)
        daemon.wait("half of it is there", lambda: standin.faults()[0]["fired"])
        reader = standin.connect()
        if how == "read":
            reader.rows("BEGIN")
            reader.rows(f'SELECT count(*) FROM public."re_dms_copy_{oid}"')
        if how == "lost":
            # The answer to the COMMIT that gives it up.
            standin.fail("^COMMIT", "kill_after", behind="^INSERT INTO re_dms_internal.tables .*'paused'")
        code, _, said = daemon.run("pause", "public.big")
        expect(code == 0, f"pause ends with {code}: {said}")
        left(daemon, since)
        reader.close()
        if how == "moved":
            server.psql("ALTER TABLE big SET SCHEMA moved")
        brought_back(daemon)


PARTS = {"of_a_failed_load": (of_a_failed_load,), "of_pauses1": (of_pauses, "read", "lost"),
         "of_pauses2": (of_pauses, "refused", "moved")}


def main():
    for name in sys.argv[1:] or PARTS:
        with scenario(TABLES, options=OPTIONS, target=RedshiftTarget()) as (server, daemon):
            part, *cases = PARTS[name]
            part(server, daemon, *cases)
            expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
