#!/usr/bin/python3
"""Goal: a daemon that stood still while another took its slot and target over applies nothing more.

It stands still between two loads, before one, or inside one. The other has a copy of its journal (on
the journal itself it is refused) and does its work meanwhile. Awake again, the first one ends with an
error, and every row is in the target once.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import Daemon  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import FAILED, REFUSED, expect, expect_refusal, scenario  # noqa: E402

# Name, definition, and what happens to it in each round; {n} is the round's number.
TABLES = {
    "keyed": ("(id serial PRIMARY KEY, n int, v text)", """
        INSERT INTO {t} (n, v) SELECT {n}, 'row ' || g FROM generate_series(1, 50) g;
        UPDATE {t} SET n = n + 1 WHERE id % 3 = 0;
        DELETE FROM {t} WHERE id % 7 = {n};"""),
    "moving": ("(id int PRIMARY KEY, n int)", """
        INSERT INTO {t} SELECT g, {n} FROM generate_series(1, 20) g ON CONFLICT DO NOTHING;
        UPDATE {t} SET id = -100 * {n} - id, n = n + 1 WHERE id > 10;"""),
}


class Stalled:
    def __init__(self, server, first):
        self.server, self.first = server, first
        self.rounds = 0
        self.second = None

    def work(self):
        """One transaction, so that it is in one batch."""
        self.rounds += 1
        work = "".join(sql.format(t=name, n=self.rounds) for name, (_, sql) in TABLES.items())
        self.server.psql(f"BEGIN; {work} COMMIT;")

    def epoch(self):
        with DuckdbFile(str(self.first.warehouse)) as file:
            return int(file.value("SELECT epoch FROM re_dms_internal.fence"))

    def stand_still(self, place):
        """The first one, with rows loaded before, stands at PLACE, a failpoint; or anywhere."""
        self.first.start().wait_ready()
        self.work()
        self.first.catch_up()
        if place is None:
            self.first.process.send_signal(signal.SIGSTOP)
        else:
            expect(self.first.stop() == 0, "SIGTERM")
            self.work()
            self.first.environment["RE_DMS_FAILPOINT"] = f"{place}=stop"
            self.first.start()
        self.first.wait("it stands still", self.first.stands_still)
        self.server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
        self.server.wait_slots_free()

    def refuse_on_the_same_journal(self, second):
        second.configure({**self.shared(), "journal.directory": str(self.first.journal)})
        expect_refusal(second, "held by", f"pid {self.first.process.pid}")
        second.configure(self.shared())

    def shared(self):
        return {"warehouse.url": f"duckdb://{self.first.warehouse}"}

    def wake(self):
        self.first.process.send_signal(signal.SIGCONT)

    def expect_end(self, wanted, *words):
        code = self.first.wait_end(60)
        expect(code == wanted, f"exit code {code}, not {wanted}")
        last = self.first.log_text().splitlines()[-1]
        missing = [word for word in words if word not in last]
        expect(not missing, f"{last} lacks {missing}")
        print(f"  it said: {last}", flush=True)


def stalled(place, inside):
    """INSIDE: the first one has the target's file open, so that the other waits for it."""
    print(f"stands still at: {place or 'any place between two loads'}", flush=True)
    sql = "".join(f"CREATE TABLE {name} {definition[0]};" for name, definition in TABLES.items())
    with scenario(sql) as (server, first):
        story = Stalled(server, first)
        story.stand_still(place)
        with Daemon(server, first.folder.parent / "second", story.shared()) as second:
            second.warehouse = first.warehouse
            story.refuse_on_the_same_journal(second)
            shutil.copytree(first.journal, second.journal)
            story.work()
            second.start()
            if inside:
                second.wait("reads, and says who has the file", lambda: "stream_started" in
                            second.log_text() and f"(PID {first.process.pid})" in second.log_text())
                story.wake()
            second.wait_ready()
            second.catch_up()
            before = second.compare()
            epoch = story.epoch()
            if not inside:
                story.wake()
            story.work()
            second.catch_up()
            if place is None or inside:
                # It has nothing to load and waits for its slot, which is the other's.
                first.wait("it waits", lambda: "is active for PID" in str(first.status()))
                expect(second.stop() == 0, "SIGTERM")
                story.expect_end(REFUSED, "confirmed up to")
                second.start().wait_ready()
            else:
                story.expect_end(FAILED, "took over", "epoch")
            second.catch_up()
            second.compare()
            print(f"  equal: {before}, epoch {epoch}", flush=True)


def main():
    os.environ.pop("RE_DMS_FAILPOINT", None)
    for place, inside in ((None, False), ("stage-manifest-after", False), ("load-before", False),
                          ("load-commit-before", True)):
        stalled(place, inside)


main()
