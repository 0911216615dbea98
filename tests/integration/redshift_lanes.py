#!/usr/bin/python3
"""Goal: tables of a batch are loaded side by side, each once, with few commits, and what people see is true at every
moment: while some lanes are at their end and others are not, when the daemon dies then, and when one table of a lane
cannot take the batch."""

import re
import shutil
import sys
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import REFUSED, expect, expect_refusal, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

LANES = 4
NAMES = [f"t{number}" for number in range(1, 17)]
TABLES = "".join(f"CREATE TABLE public.{name} (id int PRIMARY KEY, n int, body text);"
                 f"ALTER TABLE public.{name} ALTER body SET STORAGE EXTERNAL;" for name in NAMES) + """
CREATE TABLE public.late (id int PRIMARY KEY);
"""
LIVE = len(NAMES) + 2  # with LATE and the marker's
BODY = "repeat(md5(g::text), 100)"


class Story:
    def __init__(self, server, daemon):
        self.server, self.daemon, self.standin = server, daemon, daemon.target.standin
        self.rounds = 0

    def work(self, more=""):
        """One transaction that changes all of NAMES."""
        self.rounds += 1
        changes = "".join(
            f"UPDATE {name} SET n = n + 1 WHERE id % 2 = 0; DELETE FROM {name} WHERE id % 5 = {self.rounds} % 5;"
            f"INSERT INTO {name} SELECT {self.rounds * 100} + g, 0, {BODY} FROM generate_series(1, 6) g;"
            for name in NAMES)
        self.server.psql(f"BEGIN; {changes} {more} COMMIT;")

    def expect_equal(self):
        self.daemon.catch_up()
        self.daemon.wait("all are live", lambda: self.daemon.status()["tables"]["live"] == LIVE)
        self.daemon.compare()

    def view(self, sql):
        return self.standin.sql(sql)


def statements(story):
    """Four lanes, each table once, and no more commits than two a lane and one."""
    seen = len(story.standin.statements())
    story.work()
    story.expect_equal()
    said = [entry["sql"] for entry in story.standin.statements()[seen:]]
    begin = next(at for at, sql in enumerate(said) if 'COPY' in sql)
    end = next(at for at, sql in enumerate(said) if sql.startswith("LOCK re_dms_internal.fence_1, "))
    closed = next(at for at, sql in enumerate(said) if at > end and sql == "COMMIT")
    load = said[:closed + 1]
    locked = {sql for sql in load if re.fullmatch(r"LOCK re_dms_internal\.fence_\d", sql)}
    expect(len(locked) == LANES, f"lanes: {locked}")
    commits = load.count("COMMIT")
    expect(commits == 2 * LANES + 1, f"{commits} commits")
    merged = Counter(name for sql in load for name in re.findall(r'^INSERT INTO "public"\."(t\d+)"', sql))
    expect(merged == Counter(NAMES), f"merged: {merged}")
    expect(begin < end, "the batch's last transaction follows the lanes'")
    rows = story.view("SELECT count(*), count(DISTINCT source_table) FROM re_dms.loads WHERE load ="
                      " (SELECT max(load) FROM re_dms.loads WHERE source_table = 't1')")[0]
    expect(all(int(count) >= len(NAMES) for count in rows), f"rows of re_dms.loads: {rows}")


def few_tables(story):
    """A small batch is one transaction, with the position in it."""
    seen = len(story.standin.statements())
    story.server.psql("BEGIN; UPDATE t1 SET n = 7; UPDATE t2 SET n = 7; COMMIT")
    story.expect_equal()
    lanes = [entry["sql"] for entry in story.standin.statements()[seen:]
             if re.match(r"LOCK re_dms_internal\.fence_\d$", entry["sql"])]
    expect(not lanes, f"lanes for two tables: {lanes}")


def half_done(story):
    """The daemon dies when the lanes are done and the position has not moved; or when some are done."""
    daemon = story.daemon
    for place in ("lanes-done", "lane-commit-after", "lane-commit-before"):
        daemon.stop()
        before = story.view("SELECT complete_lsn, consistent_lsn FROM re_dms.position")[0]
        expect(before[0] == before[1], f"nothing is half done: {before}")
        story.work("INSERT INTO late VALUES ({0});".format(story.rounds))
        daemon.environment["RE_DMS_FAILPOINT"] = place
        daemon.start()
        daemon.wait_end()
        del daemon.environment["RE_DMS_FAILPOINT"]
        complete, consistent = story.view("SELECT complete_lsn, consistent_lsn FROM re_dms.position")[0]
        ahead = [name for name, in story.view(
            "SELECT t.source_table FROM re_dms.tables t, re_dms.position p WHERE t.complete_lsn <> p.complete_lsn")]
        expect(complete == before[0], f"{place}: the position has moved")
        if place != "lane-commit-before":
            expect(consistent is None, f"{place}: consistent at {consistent}, with {ahead} ahead")
        if place == "lanes-done":
            expect(sorted(ahead) == sorted(NAMES), f"{place}: ahead are {ahead}")
        seen = len(story.standin.statements())
        # Of a batch that may be cut at other places than the one before.
        story.server.psql("UPDATE t3 SET n = n + 1; UPDATE late SET id = id + 1000")
        daemon.start().wait_ready()
        story.expect_equal()
        again = {name for entry in story.standin.statements()[seen:]
                 for name in re.findall(r'^DELETE FROM "public"\."(t\d+)"', entry["sql"])}
        if place == "lanes-done":
            expect(again <= {"t3"}, f"loaded again: {again}")


def older_journal(story):
    """What lanes loaded counts when a journal of the past is refused."""
    daemon = story.daemon
    daemon.stop()
    older, newer = daemon.folder / "older", daemon.folder / "newer"
    shutil.copytree(daemon.journal, older)
    story.work()
    daemon.environment["RE_DMS_FAILPOINT"] = "lanes-done"
    daemon.start()
    daemon.wait_end()
    del daemon.environment["RE_DMS_FAILPOINT"]
    daemon.journal.rename(newer)
    older.rename(daemon.journal)
    expect_refusal(daemon, "journal ends at", code=REFUSED)
    shutil.rmtree(daemon.journal)
    newer.rename(daemon.journal)
    daemon.start().wait_ready()
    story.expect_equal()


def too_few_sessions(story):
    """A cluster that lets no more sessions in loads one table after the other."""
    story.daemon.stop()
    story.daemon.start().wait_ready()
    story.standin.as_superuser("ALTER ROLE loader CONNECTION LIMIT 2")
    before = len(story.daemon.log_text())
    story.work()
    story.daemon.catch_up()
    story.standin.as_superuser("ALTER ROLE loader CONNECTION LIMIT -1")
    story.expect_equal()
    expect('"lane_not_opened"' in story.daemon.log_text()[before:], "nobody says that lanes are missing")


def one_cannot(story):
    """A table that somebody damaged leaves its lane, is copied anew, and holds nobody up."""
    story.standin.sql("DELETE FROM public.t5 WHERE id = (SELECT max(id) FROM public.t5 WHERE id % 2 = 0)")
    before = len(story.daemon.log_text())
    story.work()
    story.expect_equal()
    said = story.daemon.log_text()[before:]
    expect('"table_waits"' in said and '"copied"' in said, f"nobody says that t5 is copied anew:\n{said}")


def new_shape(story):
    """A table that gets a column meanwhile is loaded behind the lanes, in the last transaction."""
    story.server.psql("ALTER TABLE t9 ADD COLUMN extra int DEFAULT 3")
    story.work()
    story.expect_equal()
    story.work("UPDATE t9 SET extra = 4 WHERE id % 3 = 0;")
    story.expect_equal()


def main():
    options = {"batch.interval": "50ms", "warehouse.lanes": LANES}
    with scenario(TABLES, options=options, target=RedshiftTarget()) as (server, daemon):
        daemon.environment["RE_DMS_RETRY_MS"] = "5,20"
        daemon.start().wait_ready()
        daemon.wait_live(LIVE)
        story = Story(server, daemon)
        story.work()
        story.expect_equal()
        for step in (statements, few_tables, half_done, older_journal, too_few_sessions, one_cannot, new_shape):
            step(story)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
