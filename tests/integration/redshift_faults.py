#!/usr/bin/python3
"""Goal: whatever befalls a statement of a load into Redshift, source and target end equal, and no table leaves.

    redshift_faults.py                  one load after the other meets a fault at each of its statements, in turn
    redshift_faults.py SHARE/SHARES     one fault a load; each SHARES-th of them
    redshift_faults.py lanes            as the first, with four lanes, and more tables for them

The kinds of statements are read from the stand-in's log, so that one that is not known here fails.
"""

import re
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = """
CREATE TABLE public.keyed (id int PRIMARY KEY, n int, body text);
ALTER TABLE public.keyed ALTER body SET STORAGE EXTERNAL;
CREATE TABLE public.fresh (id int PRIMARY KEY, note text);
CREATE TABLE public.emptied (id int PRIMARY KEY, note text);
CREATE TABLE public.grown (id int PRIMARY KEY, note text);
CREATE TABLE public.bag (a int, b text);
ALTER TABLE public.bag REPLICA IDENTITY FULL;
CREATE TABLE public.copied (id int PRIMARY KEY, note text);
INSERT INTO public.copied SELECT g, 'row ' || g FROM generate_series(1, 20) g;
"""
LIVE = 7  # with the marker's
# Most bodies are not in the stream when their rows change.
WORK = """
BEGIN;
{alter}
INSERT INTO grown (id, note) VALUES ({n}, 'round {n}');
DELETE FROM keyed WHERE id % 3 = 0 OR id < {n} * 100 - 300;
UPDATE keyed SET n = n + 1 WHERE id % 3 = 1;
UPDATE keyed SET id = -id WHERE id % 3 = 2;
INSERT INTO keyed SELECT {n} * 100 + g, 0, repeat(md5(g::text), 100) FROM generate_series(1, 9) g;
UPDATE keyed SET body = 'short' WHERE id = {n} * 100 + 4;
INSERT INTO fresh SELECT {n} * 100 + g, 'row ' || g FROM generate_series(1, 3) g;
TRUNCATE emptied;
INSERT INTO emptied SELECT g, 'round {n}' FROM generate_series(1, 9) g;
UPDATE bag SET b = 'changed ' || b WHERE a = {n} - 2;
DELETE FROM bag WHERE a < {n} - 2 OR ctid = (SELECT min(ctid) FROM bag WHERE a = {n} - 1);
INSERT INTO bag SELECT {n}, 'equal' FROM generate_series(1, 3);
UPDATE copied SET note = note || '!' WHERE id % 5 = {n} % 5;
COMMIT;
"""

LANES = 4
# What lanes take, besides some of the others.
BESIDE = [f"beside{number}" for number in range(1, 13)]
BESIDE_TABLES = "".join(f"""
CREATE TABLE public.{name} (id int PRIMARY KEY, n int);
""" for name in BESIDE)
BESIDE_WORK = "".join(f"""
UPDATE {name} SET n = n + 1 WHERE id % 2 = 0;
DELETE FROM {name} WHERE id < {{n}} - 3;
INSERT INTO {name} VALUES ({{n}}, 0);
""" for name in BESIDE)

# Of a table that takes more than one step to catch up.
SELDOM = "UPDATE re_dms_internal.tables SET position"
# Name, what its text begins with, and of several alike the number.
WORK_KINDS = [
    ("begin", "BEGIN", 1), ("second begin", "BEGIN", 2),
    ("staged table", "CREATE TEMP TABLE re_dms_staged", 1), ("COPY, staged", "COPY re_dms_staged", 1),
    ("COPY of the second", "COPY re_dms_staged", 2), ("count", "SELECT pg_last_copy_count", 1),
    ("COMMIT, staged", "COMMIT", 1), ("COMMIT", "COMMIT", 2),
    ("LOCK", "LOCK re_dms_internal.fence", 1),
    ("position", "SELECT loaded, loads", 1), ("position, locked", "SELECT f.epoch", 1),
    ("catalog", "SELECT table_schema, table_name, column_name", 1),
    ("COPY, direct", 'COPY "public"."fresh"', 1), ("emptying", 'DELETE FROM "public"."emptied"', 1),
    ("DELETE", 'DELETE FROM "public"."keyed" USING', 1), ("UPDATE", 'UPDATE "public"."keyed" SET', 1),
    ("INSERT", 'INSERT INTO "public"."keyed"', 1), ("staged table's end", "DROP TABLE re_dms_staged", 1),
    ("equals", "CREATE TEMP TABLE re_dms_equals", 1), ("equals' count", "SELECT count(*), coalesce", 1),
    ("DELETE of equals", 'DELETE FROM "public"."bag" USING', 1),
    ("equals and rows", 'INSERT INTO "public"."bag"', 1), ("rows", 'INSERT INTO "public"."bag"', 2),
    ("equals' end", "DROP TABLE re_dms_equals", 1),
    ("column", 'ALTER TABLE "public"."grown" ADD', 1), ("column's value", 'UPDATE "public"."grown" SET', 1),
    ("column's end", 'ALTER TABLE "public"."grown" DROP', 1),
    ("known tables' end", "DELETE FROM re_dms_internal.tables", 1),
    ("known columns' end", "DELETE FROM re_dms_internal.schema_parts", 1),
    ("known tables", "INSERT INTO re_dms_internal.tables", 1), ("loads", "INSERT INTO re_dms_internal.loads", 1),
    ("position's move", "UPDATE re_dms_internal.position SET loaded", 1),
]
LANE_KINDS = [
    ("a lane's LOCK", "LOCK re_dms_internal.fence_2", 1), ("all fences' LOCK", "LOCK re_dms_internal.fence_1,", 1),
    *[(f"position in lane {number}", "SELECT f.epoch", number) for number in (1, 2, 3)],
    ("a lane's table", 'INSERT INTO "public"."beside7"', 1),
    ("a lane's loads", "INSERT INTO re_dms_internal.loads_3", 1),
    *[(f"COMMIT {number}", "COMMIT", number) for number in range(3, 2 * LANES + 1)],
]
COPY_KINDS = [
    ("copy's remains", "SELECT table_type FROM svv_tables WHERE table_schema = 'public'", 1),
    *[(name, "SELECT table_type FROM svv_tables WHERE table_schema = 'public'", number)
      for number, name in enumerate(("copy's name", "old table's name", "name"), 2)],
    ("schema", "CREATE SCHEMA IF NOT EXISTS", 1), ("copy's table", 'CREATE TABLE "public"."re_dms_copy_', 1),
    ("COPY of the copy", 'COPY "public"."re_dms_copy_', 1), ("old table's end", 'DROP TABLE IF EXISTS "public"."copied"', 1),
    ("views on it", "SELECT DISTINCT vn.nspname", 1), ("rights on it", "SELECT array_to_string", 1), ("rights of roles", "SELECT privilege_type", 1),
    ("copy's name", 'ALTER TABLE "public"."re_dms_copy_', 1),
    ("loads' number", "UPDATE re_dms_internal.position SET loads", 1),
    ("table's move", SELDOM, 1),
    ("live", "UPDATE re_dms_internal.tables SET state", 1),
]
FIRST_START_KINDS = [
    *[(sql, sql, 1) for sql in [
        "CREATE SCHEMA re_dms_internal", *[f"CREATE TABLE re_dms_internal.{name}" for name in
                                           ["source", "fence", "position", "tables", "schema_parts", "loads (", "fence_8", "loads_8"]],
        "CREATE VIEW re_dms_internal.ahead",
        "CREATE SCHEMA re_dms", *[f"CREATE VIEW re_dms.{name}" for name in ["tables", "position", "loads"]],
        *[f"INSERT INTO re_dms_internal.{name}" for name in ["source", "fence", "position"]],
        "UPDATE re_dms_internal.fence", "SELECT schema_json", "SELECT source_oid, part"]],
    ("there", "SELECT table_type FROM svv_tables WHERE table_schema = 're_dms_internal'", 1),
    ("COMMIT", "COMMIT", 1), ("first table", 'CREATE TABLE "public"."keyed"', 1),
    ("old loads' end", "DELETE FROM re_dms_internal.loads", 1)]
# Of the table that is copied, where a change of it comes behind its copy.
BEHIND_COPY = ('DELETE FROM "public"."copied" USING', 'UPDATE "public"."copied" SET', 'INSERT INTO "public"."copied"')
# Only after a fault: what the target holds is read again.
AFTER_FAULT = [("known tables, read", "SELECT schema_json", 1),
               ("what lanes did", "SELECT source_oid, position FROM re_dms_internal.ahead", 1)]
# Of the comparison.
OURS = re.compile(r'SET |SELECT (column_name FROM|"\w+")')

FAULTS = {
    "kill_before": {"action": "kill_before"}, "kill_after": {"action": "kill_after"},
    "kill_during": {"action": "kill_during"}, "restart": {"action": "restart", "seconds": 0.1},
    **{known: {"action": "error", "known": known} for known in
       ["serializable", "conflict", "1018", "deadlock", "abort", "timeout", "disk_full", "out_of_memory", "resize"]},
}


def fault_at(kind, fault):
    _, begin, number = kind
    return {"pattern": "^" + re.escape(begin), "nth": number, **FAULTS[fault]}


def strikes(kind, fault):
    return fault != "kill_during" or kind[1].startswith("COPY")


class Story:
    def __init__(self, server, daemon, *, in_lanes):
        self.server, self.daemon, self.standin = server, daemon, daemon.target.standin
        self.rounds = 0
        self.live = LIVE + (len(BESIDE) if in_lanes else 0)
        self.beside = BESIDE_WORK if in_lanes else ""
        self.work_kinds = WORK_KINDS + (LANE_KINDS if in_lanes else [])

    def work(self):
        """A load of every kind, and the copy of a table. GROWN gets a column, and loses it in the next."""
        self.rounds += 1
        alter = ("DROP COLUMN extra" if self.rounds % 2 == 0 else "ADD COLUMN extra int DEFAULT 7")
        work = WORK.replace("COMMIT;", self.beside + "COMMIT;")
        self.server.psql(work.format(n=self.rounds, alter=f"ALTER TABLE grown {alter};"))

    def copy(self):
        code, printed, said = self.daemon.run("resync", "public.copied")
        expect(code == 0, f"resync ends with {code}: {printed}{said}")

    def expect_equal(self):
        self.daemon.catch_up()
        self.daemon.wait("all are live", lambda: self.daemon.status()["tables"]["live"] == self.live)
        expect(not self.daemon.said(NOT_LIVE), "tables were set aside")
        self.daemon.compare()

    def set(self, kinds, fault):
        for kind in kinds:
            if strikes(kind, fault):
                self.standin.fail(**fault_at(kind, fault))

    def left(self):
        return [fault["pattern"] for fault in self.standin.faults()
                if not fault["fired"] and fault["pattern"] != "^" + re.escape(SELDOM)]

    def suffer(self, kinds, fault):
        """Loads that meet FAULT at each of KINDS."""
        self.set(kinds, fault)
        began = time.monotonic()
        with_copy = any(kind in COPY_KINDS for kind in kinds)
        for _ in range(4):
            if with_copy:
                self.copy()
            self.work()
            self.expect_equal()
            if not self.left():
                break
        expect(not self.left(), f"{fault}: never met: {self.left()}")
        self.standin.clear_faults()
        return time.monotonic() - began


def first_start(story):
    """What a first start does is done again as well."""
    for fault in ("kill_before", "kill_after"):
        story.set([kind for kind in FIRST_START_KINDS if fault == "kill_before" or kind[0] == "COMMIT"], fault)
    story.daemon.start().wait_ready()
    story.daemon.wait_live(story.live)
    expect(not story.left(), f"never met: {story.left()}")
    story.standin.clear_faults()
    story.work()
    story.expect_equal()


def require_known(story):
    """Every statement of a load is of a kind that is tried here, and every kind occurs."""
    before = len(story.standin.statements())
    for _ in range(2):
        story.copy()
        story.work()
        story.expect_equal()
    said = [entry["sql"] for entry in story.standin.statements()[before:]]
    known = story.work_kinds + COPY_KINDS
    unknown = {sql[:100] for sql in said
               if not OURS.match(sql) and not sql.startswith((*BEHIND_COPY, *[begin for _, begin, _ in known]))
               and not re.match('COPY "public"|(DELETE FROM|INSERT INTO|UPDATE) "public"."beside', sql)}
    expect(not unknown, f"statements that are not tried: {unknown}")
    missed = [name for name, begin, number in known
              if begin != SELDOM and sum(sql.startswith(begin) for sql in said) < number]
    expect(not missed, f"kinds that do not occur: {missed}")


def commit_outlives(story):
    """The COMMIT of a daemon that was killed takes place when the next one is at work already."""
    daemon = story.daemon
    for number in (1, 2):
        story.standin.fail("^COMMIT", "delay", seconds=1.5, nth=number)
        story.work()
        daemon.wait("COMMIT has begun", lambda: not story.left())
        daemon.kill()
        story.standin.clear_faults()
        daemon.start().wait_ready()
        story.expect_equal()


def login_expires(story):
    """What a login needs may be there again only after a while."""
    story.standin.expire_logins(3)
    story.suffer([kind for kind in story.work_kinds if kind[0] in ("LOCK", "COMMIT")], "kill_before")


def unknown_trouble(story):
    """An error of the cluster's own that nobody has heard of is waited out."""
    story.standin.fail("^LOCK", "error", sqlstate="XX000", message="Assert", detail="error: Assert code: 1000", times=3)
    story.work()
    story.expect_equal()
    story.standin.clear_faults()


def all_in_turn(story):
    for fault in FAULTS:
        print(f"{fault}: {story.suffer(story.work_kinds + COPY_KINDS + AFTER_FAULT, fault):.1f} s", flush=True)
    for other in (login_expires, unknown_trouble, commit_outlives):
        began = time.monotonic()
        other(story)
        print(f"{other.__name__}: {time.monotonic() - began:.1f} s", flush=True)


def one_by_one(story, share):
    number, _, shares = share.partition("/")
    pairs = [(kind, fault) for fault in FAULTS for kind in WORK_KINDS + COPY_KINDS if strikes(kind, fault)]
    for kind, fault in pairs[int(number) - 1::int(shares)]:
        print(f"{fault} at {kind[0]}: {story.suffer([kind], fault):.1f} s", flush=True)


def main():
    in_lanes = sys.argv[1:] == ["lanes"]
    tables = TABLES + (BESIDE_TABLES if in_lanes else "")
    options = {"batch.interval": "50ms", "warehouse.lanes": LANES if in_lanes else 1}
    with scenario(tables, options=options, target=RedshiftTarget()) as (server, daemon):
        daemon.environment["RE_DMS_RETRY_MS"] = "5,20"
        story = Story(server, daemon, in_lanes=in_lanes)
        first_start(story)
        require_known(story)
        if len(sys.argv) > 1 and not in_lanes:
            one_by_one(story, sys.argv[1])
        else:
            all_in_turn(story)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
