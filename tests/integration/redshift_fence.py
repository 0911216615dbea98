#!/usr/bin/python3
"""Goal: one daemon loads into a Redshift at a time, and only what continues what is there.

A second daemon is refused or takes over; one that stood still meanwhile applies nothing more; a target that was set back
behind the journal's begin, or is further than its end, is refused.
"""

import os
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import Daemon  # noqa: E402
from scenario import FAILED, REFUSED, expect, expect_check, expect_refusal, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = """
CREATE TABLE public.keyed (id serial PRIMARY KEY, n int, v text);
CREATE TABLE public.bag (n int, v text);
ALTER TABLE public.bag REPLICA IDENTITY FULL;
"""
OPTIONS = {"journal.segment_bytes": "1MiB"}
# Less than a cluster gets that does not answer.
ENDS_WITHIN = 4
# In one batch.
WORK = """
BEGIN;
INSERT INTO keyed (n, v) SELECT {n}, 'row ' || g FROM generate_series(1, 50) g;
UPDATE keyed SET n = n + 1 WHERE id % 3 = 0;
DELETE FROM keyed WHERE id % 7 = {n} % 7;
INSERT INTO bag SELECT {n}, 'row' FROM generate_series(1, 10);
DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag);
COMMIT;
"""


class Story:
    def __init__(self, server, first):
        self.server, self.first, self.standin = server, first, first.target.standin
        self.rounds = self.seconds = 0

    def work(self):
        self.rounds += 1
        self.server.psql(WORK.format(n=self.rounds))

    def another(self, options=None):
        """A daemon on the same target, with a folder of its own."""
        self.seconds += 1
        folder = self.first.folder.parent / f"second{self.seconds}"
        return Daemon(self.server, folder, options, target=self.first.target)

    def start_up_to_fence(self, daemon):
        """A delay of no length shows that the statement has begun."""
        self.standin.fail("^LOCK", "delay", seconds=0)
        daemon.start().wait("it is at the fence", lambda: self.standin.faults()[0]["fired"])
        self.standin.clear_faults()

    def epoch(self):
        return int(self.standin.sql("SELECT epoch FROM re_dms_internal.fence")[0][0])


def second(story):
    """Refused, and the first one goes on."""
    first = story.first
    first.start().wait_ready()
    older = first.folder.parent / "older"
    shutil.copytree(first.journal, older)
    story.work()
    first.catch_up()
    tries = {
        "another slot": ({"source.slot": "re_dms_2", "source.publication": "re_dms_2"}, "belongs to", FAILED),
        "no journal": ({}, "exists already", FAILED),
        "an older copy of the journal": ({"journal.directory": str(older)}, "journal ends at", REFUSED),
    }
    for name, (options, words, code) in tries.items():
        with story.another(options) as daemon:
            expect_refusal(daemon, words, code=code)
        slots = story.server.value("SELECT string_agg(slot_name, ',') FROM pg_replication_slots")
        expect(slots == "re_dms", f"{name}: the slots are {slots}")
        story.work()
        first.catch_up()
        print(f"{name}: refused; {first.compare()}", flush=True)
    expect(first.stop() == 0, "SIGTERM")


def stalled(story, place):
    """The first one stands still at PLACE, a failpoint, while another takes over with a copy of its journal."""
    first, server = story.first, story.server
    story.work()
    first.environment["RE_DMS_FAILPOINT"] = f"{place}=stop"
    first.start().wait("it stands still", first.stands_still)
    del first.environment["RE_DMS_FAILPOINT"]
    server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
    server.wait_slots_free()
    holds_fence = place == "redshift-load-commit-before"
    with story.another() as daemon:
        shutil.copytree(first.journal, daemon.journal)
        story.work()
        if holds_fence:
            # The other waits for the lock, and can be told to end while it does.
            story.start_up_to_fence(daemon)
            began = time.monotonic()
            expect(daemon.stop(20) == 0, "SIGTERM at the fence")
            took = time.monotonic() - began
            expect(took < ENDS_WITHIN, f"SIGTERM at the fence took {took:.1f} s")
            story.start_up_to_fence(daemon)
            daemon.wait("it has the slot", lambda: "stream_started" in daemon.log_text().rpartition('"starting"')[2])
            holder = story.standin.sql("SELECT DISTINCT t.pid FROM svv_transactions t JOIN pg_class c"
                                       " ON c.oid = t.relation WHERE t.granted AND c.relname = 'fence'")[0][0]
            daemon.wait("it names who holds the fence", lambda: f"pg_terminate_backend({holder})" in daemon.log_text())
            first.process.send_signal(signal.SIGCONT)
        else:
            daemon.start()
        daemon.wait_ready()
        daemon.catch_up()
        epoch = story.epoch()
        if not holds_fence:
            daemon.compare()
            first.process.send_signal(signal.SIGCONT)
            code = first.wait_end(60)
            last = first.log_text().splitlines()[-1]
            expect(code == 1 and "took over" in last, f"it ended with {code}: {last}")
        story.work()
        daemon.catch_up()
        counts = daemon.compare()
        expect(story.epoch() == epoch, "nobody else took over")
        expect(daemon.stop() == 0, "SIGTERM")
        if holds_fence:
            # What it began is loaded; of the slot, which is the other's, it hears that it went on.
            code = first.wait_end(60)
            last = first.log_text().splitlines()[-1]
            expect((code, True) in ((FAILED, "took over" in last), (REFUSED, "confirmed up to" in last)), f"it ended with {code}: {last}")
        shutil.rmtree(first.journal)
        shutil.copytree(daemon.journal, first.journal)
    print(f"{place}: equal, epoch {epoch}: {counts}", flush=True)


class Network:
    """Between the daemon and the stand-in. `lose()` ends all connections for the daemon, and the stand-in hears nothing
    of it."""

    def __init__(self, port):
        self._port, self._clients, self._kept = port, [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._port))
            self._clients.append(client)
            self._kept.append(server)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass

    def lose(self):
        for client in self._clients:
            client.shutdown(socket.SHUT_RDWR)
        self._clients.clear()


def lost(story):
    """A session in a transaction, which the network lost: the cluster does not know, and the fences stay held."""
    first, standin = story.first, story.standin
    network = Network(standin.port)
    first.configure({**OPTIONS, "warehouse.url": standin.url.replace(f":{standin.port}/", f":{network.port}/")})
    first.start().wait_ready()
    story.work()
    first.catch_up()
    standin.fail("^INSERT INTO re_dms_internal.loads", "delay", seconds=1)
    story.work()
    first.wait("the load holds the fences", lambda: standin.faults()[0]["fired"])
    network.lose()
    standin.clear_faults()
    first.catch_up()
    expect('"session_ended"' in first.log_text(), "the lost session is ended")
    counts = first.compare()
    expect(first.stop() == 0, "SIGTERM")
    first.configure(OPTIONS)
    print(f"a session that the network lost: equal: {counts}", flush=True)


def set_back(story):
    """The target as somebody restored it."""
    first = story.first
    first.start().wait_ready()
    first.catch_up()
    then = story.standin.sql("SELECT loaded FROM re_dms_internal.position")[0][0]
    oldest = min(first.journal.glob("*.journal"))
    for _ in range(20):
        story.server.psql("INSERT INTO keyed (n, v) SELECT -1, repeat(md5(g::text), 30) FROM generate_series(1, 1000) g;"
                          " DELETE FROM keyed WHERE n = -1")
        first.catch_up()
        if not oldest.exists():
            break
    first.wait("the journal forgets", lambda: not oldest.exists())
    expect(first.stop() == 0, "SIGTERM")
    now = story.standin.sql("SELECT loaded FROM re_dms_internal.position")[0][0]
    for name, loaded, words in (("older", then, ["begins at"]), ("newer", str(int(now) + (1 << 30)), ["journal ends at"])):
        story.standin.sql(f"UPDATE re_dms_internal.position SET loaded = {loaded}")
        expect_refusal(first, *words, code=REFUSED)
        print(f"set to an {name} position: {first.log_text().splitlines()[-1]}", flush=True)
        story.standin.sql(f"UPDATE re_dms_internal.position SET loaded = {now}")
    for schema in ("re_dms", "re_dms_internal"):
        story.standin.sql(f"DROP SCHEMA {schema} CASCADE")
    expect_refusal(first, "holds no data of re_dms")
    expect_check(first, "holds no data of re_dms")


def main():
    os.environ.pop("RE_DMS_FAILPOINT", None)
    with scenario(TABLES, options=OPTIONS, target=RedshiftTarget()) as (server, first):
        story = Story(server, first)
        second(story)
        for place in ("redshift-load-before", "redshift-staged", "redshift-load-commit-before"):
            stalled(story, place)
        lost(story)
        set_back(story)


main()
