#!/usr/bin/python3
"""Goal: a table that is copied anew keeps the rights that others have on it and the views that are bound to it, whatever
becomes of its shape; where a view makes that impossible, it is named, and the table goes on when the view is gone."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = """
CREATE TABLE granted (id int PRIMARY KEY, n int, v text);
CREATE TABLE seen (id int PRIMARY KEY, n int, v text);
CREATE TABLE hard (id int PRIMARY KEY, n int);
INSERT INTO granted SELECT g, g, 'v' || g FROM generate_series(1, 50) g;
INSERT INTO seen SELECT g, g, 'v' || g FROM generate_series(1, 50) g;
INSERT INTO hard SELECT g, g FROM generate_series(1, 50) g;
"""
GRANTS = ["GRANT SELECT ON public.granted TO other", "GRANT INSERT ON public.granted TO other WITH GRANT OPTION",
          "GRANT SELECT ON public.granted TO PUBLIC", "GRANT SELECT ON public.seen TO other",
          "GRANT UPDATE, DELETE, REFERENCES ON public.granted TO other"]
RIGHTS = ("SELECT c.relname, array_to_string(c.relacl, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          " WHERE n.nspname = 'public' AND c.relname IN ('granted', 'seen')")


def rights(target):
    """{(table, whose rights and by whom)}"""
    return {(table, entry) for table, acl in target.query(RIGHTS) for entry in acl.split(",")}


class Story:
    def __init__(self, server, daemon):
        self.server, self.daemon, self.target = server, daemon, daemon.target
        self.copies = 0
        for sql in GRANTS:
            self.target.execute(sql)
        self.target.execute("CREATE VIEW public.over_seen AS SELECT id, v FROM public.seen")
        self.rights = rights(self.target)
        expect(("granted", "other=a*rwdx/loader") in self.rights, f"rights: {self.rights}")

    def copied(self):
        """When every table that came is live again."""
        self.daemon.catch_up(set_aside=True)
        self.daemon.wait("all are live", lambda: self.daemon.said(COMING) == [] and not self.daemon.said(NOT_LIVE))
        self.daemon.compare()

    def expect_kept(self, what):
        now = rights(self.target)
        expect(now == self.rights, f"{what}: the rights are {now}, and were {self.rights}")
        wanted = self.server.rows("SELECT id, v FROM seen ORDER BY id")
        found = self.target.query("SELECT id, v FROM public.over_seen ORDER BY id")
        expect(found == [list(row) for row in wanted], f"{what}: the view shows {len(found)} rows, not {len(wanted)}")

    def resync(self, *tables):
        before = self.daemon.log_text().count('"copied"')
        code, _, said = self.daemon.run("resync", *tables)
        expect(code == 0, said)
        # One line for those that are copied together.
        self.daemon.wait("copied", lambda: self.daemon.log_text().count('"copied"') > before)


def main():
    target = RedshiftTarget()
    target.standin.users["other"] = "Other-secret1"
    with scenario(TABLES, target=target) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "300"
        daemon.start().wait_ready()
        daemon.wait_live(4)
        story = Story(server, daemon)
        story.resync("public.granted", "public.seen")
        story.copied()
        story.expect_kept("copied anew")
        # A type that no statement of ours changes in place, and columns that come and go.
        server.psql("ALTER TABLE granted ALTER n TYPE bigint; UPDATE granted SET n = n + 5000000000")
        server.psql("ALTER TABLE seen ADD COLUMN more text DEFAULT 'more', DROP COLUMN n;"
                    " UPDATE seen SET v = v || '!' WHERE id % 2 = 0")
        story.copied()
        story.resync("public.seen")
        story.copied()
        story.expect_kept("in another shape")
        before = daemon.log_text().count('"copied"')
        server.psql("DROP TABLE granted; CREATE TABLE granted (id int PRIMARY KEY, w text);"
                    " INSERT INTO granted VALUES (1, 'another')")
        daemon.wait("the new table is copied", lambda: daemon.log_text().count('"copied"') > before)
        story.copied()
        story.expect_kept("another table of the name")
        # The view needs the column as it is.
        daemon.target.execute("CREATE VIEW public.over_hard AS SELECT id, n FROM public.hard")
        server.psql("ALTER TABLE hard ALTER n TYPE text; UPDATE hard SET n = 'n' || n")
        daemon.wait("it waits for a person", lambda: [each["table"] for each in daemon.said(NOT_LIVE)] == ["public.hard"])
        reason = daemon.said(NOT_LIVE)[0]["reason"]
        expect("over_hard" in reason and "resync" in reason, f"the reason says what to do: {reason}")
        expect(len(daemon.target.query("SELECT id, n FROM public.over_hard")) == 50, "readers see the rows as they were")
        daemon.target.execute("DROP VIEW public.over_hard")
        story.resync("public.hard")
        story.copied()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
