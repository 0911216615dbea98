#!/usr/bin/python3
"""Goal: a table whose load meets the same fault again and again leaves the others alone, and comes back by itself when
the fault is gone, at COMMIT too; where the cluster takes nothing, that is waited out, and no table leaves. Where it
takes writes, and no table for an hour, all leave."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

NAMES = ["slow", *[f"fine{number}" for number in range(1, 10)]]
TABLES = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, n int, body text);"
                 f" ALTER TABLE {name} ALTER body SET STORAGE EXTERNAL;"
                 f" INSERT INTO {name} SELECT g, 0, repeat(md5(g::text), 100) FROM generate_series(1, 9) g;"
                 for name in NAMES)
ALWAYS = 100_000
LANES = (1, 3)
UPDATE = '^UPDATE "public"."slow" SET'
WHATEVER = '^(UPDATE|INSERT INTO|DELETE FROM|COPY) "?(public|re_dms_staged)'
# What is written to see whether the cluster takes anything.
PROBE = '^UPDATE re_dms_internal.position SET loads = loads'
# What Redshift says of a staged file that somebody has removed.
GONE = {"pattern": '^COPY "public"."slow"', "sqlstate": "XX000",
        "message": "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey,Rid 0,CanRetry 1"}
FINE = [("public", name) for name in NAMES[1:]]


def change(names):
    """Rows of which a long value is not in the stream: they are updated in place."""
    return "BEGIN;" + "".join(f"UPDATE {name} SET n = n + 1;" for name in names) + "COMMIT;"


def waits(daemon, table):
    """Why the table is not live, or None."""
    entries = (daemon.said(COMING) or []) + (daemon.said(NOT_LIVE) or [])
    return next((entry.get("reason") for entry in entries if entry["table"] == table), None)


def insert(names):
    return "BEGIN;" + "".join(f"INSERT INTO {name} SELECT max(id) + 1, 0 FROM {name};" for name in names) + "COMMIT;"


def expect_it_leaves_alone(server, daemon, names, fault, work=change):
    """SLOW meets the fault, whatever else is in its batch."""
    standin = daemon.target.standin
    since = len(daemon.log_text())
    standin.fail(**fault, times=ALWAYS)
    server.psql(work(names))
    reason = daemon.wait("it is named", lambda: waits(daemon, "public.slow"))
    expect("alone" in reason and "again and again" in reason, f"the reason: {reason}")
    expect(standin.faults()[0]["fired"] >= 6, "it was tried together with others, and alone")
    server.psql(change(["fine1"]))
    daemon.catch_up(coming=["public.slow"])
    daemon.compare(FINE)
    standin.clear_faults()
    daemon.wait("all are live", lambda: daemon.said(COMING) == [] and not daemon.said(NOT_LIVE)
                and daemon.said(("tables", "live")) == len(NAMES) + 1)
    server.psql(change(names))
    daemon.catch_up()
    daemon.compare()
    left = [name for name in NAMES[1:] if f'"table_waits"' in daemon.log_text()[since:]
            and f'"public.{name}"' in "".join(line for line in daemon.log_text()[since:].splitlines()
                                              if '"table_waits"' in line)]
    expect(not left, f"others left: {left}")


def expect_it_leaves_beside_one_without_rows(server, daemon):
    """Its batch also has a table of which nothing changes but what is known of it, which each try writes down again."""
    server.psql("VACUUM FULL fine9")
    daemon.target.standin.fail(UPDATE, known="timeout", times=ALWAYS)
    since = len(daemon.target.standin.statements())
    server.psql("BEGIN; UPDATE slow SET n = n + 1; INSERT INTO fine9 VALUES (1000, 0);"
                " DELETE FROM fine9 WHERE id = 1000; COMMIT")
    daemon.wait("it is named", lambda: "again and again" in (waits(daemon, "public.slow") or ""))
    oid = server.value("SELECT 'fine9'::regclass::oid")
    written = [entry for entry in daemon.target.standin.statements()[since:]
               if entry["sql"].startswith("UPDATE re_dms_internal.tables SET position")
               and entry["sql"].endswith(f"IN ({oid})")]
    expect(len(written) > 1, f"it is written down in each try: {len(written)}")
    daemon.target.standin.clear_faults()
    daemon.wait("all are live", lambda: daemon.said(COMING) == [] and not daemon.said(NOT_LIVE)
                and daemon.said(("tables", "live")) == len(NAMES) + 1)
    daemon.catch_up()
    daemon.compare()


def expect_copies_go_on(server, daemon):
    """Of the first batch of copied rows, which has all tables, that of SLOW is not taken."""
    standin = daemon.target.standin
    oid = server.value("SELECT 'slow'::regclass::oid")
    standin.fail(f'^COPY "public"."re_dms_copy_{oid}"', known="timeout", times=ALWAYS)
    daemon.start().wait_ready()
    daemon.wait("it is named", lambda: "again and again" in (waits(daemon, "public.slow") or ""))
    daemon.wait("the others are live", lambda: daemon.said(("tables", "live")) == len(NAMES))
    server.psql(change(NAMES))
    daemon.catch_up(coming=["public.slow"])
    daemon.compare(FINE)
    standin.clear_faults()
    daemon.wait_live(len(NAMES) + 1)
    daemon.catch_up()
    daemon.compare()


def expect_copies_are_not_waited_for(daemon):
    """Nothing of the first batch of copied rows is taken, and the cluster says nothing about it: tables that are
    followed would be waited for as long as that lasts."""
    standin = daemon.target.standin
    standin.fail('^COPY "public"."re_dms_copy_', "kill_before", times=ALWAYS)
    daemon.start().wait_ready()
    daemon.wait("all are named", lambda: all("again and again" in (waits(daemon, f"public.{name}") or "")
                                             for name in NAMES))
    expect("tables have yet to take this batch" not in daemon.log_text(), "they are not waited for longer")
    standin.clear_faults()
    daemon.wait_live(len(NAMES) + 1)
    daemon.catch_up()
    daemon.compare()


def expect_waited_out(server, daemon, known, faults):
    """Nothing is taken."""
    standin = daemon.target.standin
    since = len(daemon.log_text())
    for fault in faults:
        standin.fail(**fault, known=known, times=ALWAYS)
    server.psql(change(NAMES))
    daemon.wait("many tries", lambda: daemon.log_text()[since:].count('"load_retry"') > 60)
    expect(daemon.said(COMING) == [] and not daemon.said(NOT_LIVE), "no table leaves")
    standin.clear_faults()
    daemon.catch_up()
    expect('"table_waits"' not in daemon.log_text()[since:], "no table left")
    daemon.compare()


def expect_loaded_as_a_whole(server, daemon):
    """No COMMIT of a write passes, so no table of the batch is looked for."""
    standin = daemon.target.standin
    since = len(standin.statements())
    expect_waited_out(server, daemon, "serializable", [{"pattern": "^COMMIT", "behind": "^(UPDATE|INSERT INTO) "}])
    # What a part of a batch writes.
    parts = [entry for entry in standin.statements()[since:]
             if entry["sql"].startswith("UPDATE re_dms_internal.tables SET position")]
    expect(not parts, f"it was loaded in parts: {len(parts)}")


def expect_lost_answer_is_no_fault(server, daemon):
    """The COMMIT of SLOW alone, which would be one too many if it failed, takes place, and its answer is lost."""
    standin = daemon.target.standin
    since = len(daemon.log_text())
    # Three together, two of some, three of SLOW in its turn, and two alone.
    standin.fail("^COMMIT", behind=UPDATE, known="serializable", times=10)
    standin.fail("^COMMIT", "kill_after", behind=UPDATE)
    server.psql(change(NAMES))
    daemon.catch_up()
    expect([fault["fired"] for fault in standin.faults()] == [10, 1], f"{standin.faults()}")
    expect(daemon.log_text()[since:].count("is loaded alone") == 3, "it was loaded alone")
    standin.clear_faults()
    expect('"table_waits"' not in daemon.log_text()[since:], "no table left")
    daemon.compare()


def expect_all_leave(server, daemon):
    """No table is taken, and the cluster takes other writes."""
    standin = daemon.target.standin
    since = len(daemon.log_text())
    standin.fail(WHATEVER, known="timeout", times=ALWAYS)
    server.psql(change(NAMES))
    daemon.wait("it says for how long", lambda: f"{len(NAMES)} tables have yet to take this batch, and each fails"
                in (daemon.said(("last_error", "text")) or ""))
    expect('"table_waits"' not in daemon.log_text()[since:], "no table left yet")
    daemon.wait("all are named", lambda: all("again and again" in (waits(daemon, f"public.{name}") or "")
                                             for name in NAMES))
    standin.clear_faults()
    daemon.wait("all are live", lambda: daemon.said(COMING) == [] and not daemon.said(NOT_LIVE)
                and daemon.said(("tables", "live")) == len(NAMES) + 1)
    daemon.catch_up()
    daemon.compare()


def main():
    for lanes in map(int, sys.argv[1:] or LANES):
        options = {"batch.interval": "50ms", "warehouse.lanes": lanes}
        with scenario(TABLES, options=options, target=RedshiftTarget()) as (server, daemon):
            daemon.environment["RE_DMS_RETRY_MS"] = "5,20"
            if lanes == 1:
                expect_copies_go_on(server, daemon)
            else:
                expect_copies_are_not_waited_for(daemon)
            for known in ("serializable", "disk_full"):
                expect_it_leaves_alone(server, daemon, NAMES, {"pattern": "^COMMIT", "behind": UPDATE, "known": known})
            expect_it_leaves_alone(server, daemon, ["slow"],
                                   {"pattern": "^COMMIT", "behind": UPDATE, "known": "serializable"})
            for known in ("timeout", "disk_full", "out_of_memory", "serializable"):
                expect_it_leaves_alone(server, daemon, NAMES, {"pattern": UPDATE, "known": known})
            expect_it_leaves_alone(server, daemon, ["slow"], {"pattern": UPDATE, "known": "timeout"})
            expect_it_leaves_beside_one_without_rows(server, daemon)
            expect_it_leaves_alone(server, daemon, NAMES, GONE, insert)
            for known in ("timeout", "disk_full"):
                expect_waited_out(server, daemon, known, [{"pattern": WHATEVER}, {"pattern": PROBE}])
            if lanes == 1:
                expect_loaded_as_a_whole(server, daemon)
                expect_lost_answer_is_no_fault(server, daemon)
            expect_all_leave(server, daemon)
            print(f"{lanes} lanes: as it should be", flush=True)
            expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
