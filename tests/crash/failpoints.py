#!/usr/bin/python3
"""Goal: the daemon, killed at every named place of its durable steps, ends with both sides equal.

    failpoints.py SCENARIO [SHARE/SHARES]      a scenario: first_start teardown flow parts restart
                                               copy redshift

SHARE/SHARES   only each SHARES-th name of the scenario, so that several runs share the work

The names are read from the source, so that a new failpoint is tried without a word here, and one that
is never reached fails. Which scenario has to reach a name is told by how it begins (`OWN`); all
others belong to `flow`. Each is met twice: by a daemon at work, and by the one that comes after it,
where that one gets there too.
"""

import re
import signal
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from daemon import COMING, LOADED_LSN, ROOT  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

OWN = {
    "first_start": ("slot-", "publication-", "origin-", "segments-removed-",
                    "take-over-tables-made", "beginning-"),
    "teardown": ("teardown-",),
    "parts": ("load-part-",),
    "restart": ("recovery-renew-", "recovery-abort-"),
    "copy": ("copy-", "join-", "publish-table-", "grant-"),
    "redshift": ("redshift-", "lane-", "lanes-"),
}
KILLS = 2
SECONDS = 120
OPTIONS = {"journal.segment_bytes": "1MiB", "batch.interval": "100ms", "source.include": ["public.*"],
           "source.exclude": ["public.unheard"],
           "table": [{"match": "public.kept*", "initial_copy": "adopt"}]}

TABLES = """
CREATE TABLE public.big (id int PRIMARY KEY, n int, pad text);
CREATE TABLE public.pair (a text, b int, v text, PRIMARY KEY (a, b));
CREATE TABLE public.long (id int PRIMARY KEY, n int, body text);
ALTER TABLE public.long ALTER body SET STORAGE EXTERNAL;
CREATE TABLE public.unheard (id int);
"""
MANY = 40
BROKEN = 2
LIVES = 100
COMPARED = [("public", "big"), ("public", "pair"), ("public", "long")]
# One transaction that begins a batch of its own (architecture.md, Large transactions), with TRUNCATE
# and moves of keys, and some small ones around it.
WORK = """
INSERT INTO pair SELECT 'p' || g, {n}, repeat('x', g) FROM generate_series(1, 40) g;
BEGIN;
TRUNCATE big, long;
INSERT INTO big SELECT g, {n}, repeat(md5(g::text), 56) FROM generate_series(1, 10000) g;
INSERT INTO long SELECT g, {n}, repeat(md5(g::text), 300) FROM generate_series(1, {long}) g;
UPDATE big SET id = -id WHERE id <= 1200;
UPDATE big SET id = 1201 + id WHERE id < 0;
SAVEPOINT s;
DELETE FROM big WHERE id > 100;
ROLLBACK TO s;
DELETE FROM big WHERE id % 7 = 0;
COMMIT;
UPDATE long SET n = n + 1;
UPDATE long SET id = -id, body = CASE WHEN id % 2 = 0 THEN 'short' ELSE body END WHERE id <= 6;
UPDATE pair SET b = b + 1000, v = NULL WHERE a < 'p3' AND b = {n};
DELETE FROM pair WHERE a > 'p5' AND b < {n};
UPDATE big SET id = -1 WHERE id = 1;
UPDATE big SET id = 1 WHERE id = 2;
UPDATE big SET id = 2 WHERE id = -1;
"""
# What the daemon hears of only as a position: an idle one.
UNHEARD = "INSERT INTO unheard VALUES (1)"


def names():
    """Every failpoint there is."""
    found = []
    for path in sorted((ROOT / "src").rglob("*.cc")):
        if path.stem.endswith("_test"):
            continue
        found += re.findall(r'\bfailpoint\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    double = {name for name in found if found.count(name) > 1}
    expect(not double, f"failpoints share a name: {double}")
    expect(len(found) > 40, f"too few failpoints in the source: {found}")
    return found


def names_of(wanted):
    """Those that this scenario has to reach."""
    owner = {name: next((scenario for scenario, prefixes in OWN.items() if name.startswith(prefixes)),
                        "flow") for name in names()}
    return [name for name, scenario in owner.items() if scenario == wanted]


def share(wanted):
    """As names_of, for this run."""
    number, _, runs = (sys.argv[2] if len(sys.argv) > 2 else "1/1").partition("/")
    return names_of(wanted)[int(number) - 1::int(runs)]


class Victim:
    """A daemon that dies at failpoints."""

    def __init__(self, server, daemon):
        self.server, self.daemon = server, daemon
        self.rounds = 0

    def arm(self, *places):
        self.daemon.environment["RE_DMS_FAILPOINT"] = ",".join(places)

    def start(self, *places):
        self.arm(*places)
        self.daemon.start()

    def where(self, begin):
        """The failpoints said in the log behind BEGIN."""
        return re.findall(r"^failpoint (\S+)$", self.daemon.log_text()[begin:], re.M)

    def work(self, long=20):
        """LONG: how many rows of 10 kB are in the large transaction."""
        self.rounds += 1
        self.server.psql(WORK.format(n=self.rounds, long=long))

    def met(self, name, until=lambda: False):
        """Waits until the daemon is killed: True; or until UNTIL() is."""
        deadline = time.monotonic() + SECONDS
        while self.daemon.running():
            if until():
                return False
            if time.monotonic() > deadline:
                raise self.daemon.error(f"{name} was not reached within {SECONDS} s")
            # Seldom enough not to take the daemon's processor: UNTIL asks it.
            time.sleep(0.05)
        if self.daemon.process.returncode != -signal.SIGKILL:
            raise self.daemon.error(f"{name}: the daemon ended with {self.daemon.process.returncode}")
        return True

    def expect_equal(self):
        """A daemon that is left alone catches up."""
        self.start()
        self.daemon.wait_ready(SECONDS)
        self.daemon.catch_up(SECONDS)
        self.daemon.compare(COMPARED)


class Unheard:
    """Writes now and then what the daemon hears of as an idle position."""

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _write(self):
        with self._server.session() as session:
            while not self._stop.wait(0.2):
                session.run(UNHEARD)


# --- scenarios ------------------------------------------------------------------------------------

def chain(victim, left, life):
    """Lets LIFE(places) die at every failpoint on its way; LEFT counts down how often each may yet
    kill. Ends when LIFE() does without dying."""
    reached = []
    while True:
        begin = len(victim.daemon.log_text())
        if not life([name for name in left if left[name] > 0]):
            return reached
        said = victim.where(begin)
        expect(said, "killed without a failpoint")
        # Several threads may each reach one before the first one's signal ends them all.
        for name in said:
            left[name] -= 1
        reached += said


def fail_to_start(server, victim):
    """A slot that waits for a writer longer than it may is taken back, with all that was begun."""
    with server.session() as writer:
        writer.must("BEGIN; " + UNHEARD)
        victim.start("beginning-removed")
        victim.met("beginning-removed")
        writer.must("ROLLBACK")
    return ["beginning-removed"]


def first_start(server, victim):
    """Everything from nothing to the first row."""
    daemon = victim.daemon
    began = fail_to_start(server, victim)

    def start(places):
        victim.start(*places)
        return victim.met("the first start", lambda: daemon.get("/readyz")[0] == 200)

    reached = began + chain(victim, dict.fromkeys(names(), KILLS), start)
    daemon.kill()
    victim.work()
    victim.expect_equal()
    report("first_start", reached)


def teardown(server, victim):
    """Everything back to nothing."""
    daemon = victim.daemon
    daemon.start().wait_ready()
    victim.work()
    expect(daemon.stop() == 0, "SIGTERM")
    server.wait_slots_free()

    def tear_down(places):
        victim.arm(*places)
        code, out, said = daemon.run("teardown", "--yes")
        with open(daemon.log, "a", encoding="utf-8") as log:
            log.write(out + said)
        expect(code in (0, -signal.SIGKILL), f"teardown ends with {code}: {said}")
        return code != 0

    reached = chain(victim, dict.fromkeys(names(), KILLS), tear_down)
    left = server.value("SELECT (SELECT count(*) FROM pg_replication_slots) +"
                        " (SELECT count(*) FROM pg_publication)")
    expect(left == "0", "slot or publication is left")
    expect(list(daemon.journal.iterdir()) == [], f"{daemon.journal} is not empty")
    report("teardown", reached)


def report(wanted, reached):
    missed = [name for name in names_of(wanted) if name not in reached]
    expect(not missed, f"never reached: {missed}")
    print(f"{wanted}: {len(reached)} kills at {len(set(reached))} places", flush=True)


def die_at_work(victim, name):
    victim.work()
    victim.start(name)
    victim.met(name)


def die_cut_off(victim, name):
    """For places behind a connection that ends inside a transaction: the daemon stands in one while the
    server ends its stream. It is larger than what fits between the two (32 MiB of blocks, sockets), so
    that its end is not there yet. A daemon that finds such an end in its journal needs no cut."""
    victim.work(long=3000)
    victim.start(name, "journal-append-before:8=stop")
    if not victim.met(name, victim.daemon.stands_still):
        victim.server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
        victim.daemon.process.send_signal(signal.SIGCONT)
        victim.met(name)


# Places that work alone does not lead to.
ARRANGED = {"journal-abort": die_cut_off}


def flow(server, victim):
    """A daemon that starts, reads, stages and loads; the work waits for it, so that it is inside the
    large transaction when it first writes."""
    daemon = victim.daemon
    victim.start()
    daemon.wait_ready()
    daemon.kill()
    for name in share("flow"):
        began = time.monotonic()
        for _ in range(KILLS):
            ARRANGED.get(name, die_at_work)(victim, name)
        victim.expect_equal()
        daemon.kill()
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)


def each_of_many(statement):
    """STATEMENT for each table, whose name is %I, in one transaction."""
    return (f"DO $$ BEGIN FOR i IN 1..{MANY} LOOP EXECUTE format('{statement}', 'many' || i);"
            " END LOOP; END $$;")


def parts(server, victim):
    """A daemon that loads a batch in several transactions, because more than one table fails in it."""
    daemon = victim.daemon
    daemon.start().wait_ready()
    server.psql(each_of_many("INSERT INTO %I VALUES (1, 0)"))
    daemon.catch_up(SECONDS)
    daemon.kill()
    with DuckdbFile(str(daemon.warehouse), writable=True) as duck:
        for number in range(1, BROKEN + 1):
            duck.execute(f"DELETE FROM public.many{number}")
    for name in names_of("parts"):
        for _ in range(KILLS):
            server.psql(each_of_many("UPDATE %I SET n = n + 1"))
            victim.start(name)
            victim.met(name)
        print(f"{name}: {KILLS} kills", flush=True)
    victim.start()
    daemon.wait_ready(SECONDS)
    daemon.catch_up(SECONDS)
    daemon.wait("the broken ones are copied anew", lambda: daemon.said(COMING) == [], SECONDS)
    daemon.compare([("public", f"many{number}") for number in range(1, MANY + 1)])


def copy(server, victim):
    """A daemon that copies tables while rows of them come and go; each life finds two new ones, one of which the target
    has already, and is asked to pause one of the life before and to go on with it."""
    daemon = victim.daemon
    names = [f"public.{name}" for _, name in COMPARED]

    def live():
        tables = daemon.status().get("tables") or {}
        return tables.get("coming") == [] and tables.get("live") == len(names) + 1

    def paused_and_live_again():
        # A daemon that dies meanwhile answers nothing.
        if daemon.said(("tables", "paused")):
            daemon.run("resume", "*.*")
            asked.update(resume=asked["pause"])
        elif live() and not asked["pause"]:
            daemon.run("pause", names[-3])
            asked.update(pause=True)
        else:
            return asked["resume"] and live()
        return False

    def life(places):
        number = len(names)
        for name in (f"public.late{number}", f"public.kept{number}"):
            names.append(name)
            server.psql(f"CREATE TABLE {name} (id int PRIMARY KEY, n int);"
                        f" INSERT INTO {name} SELECT g, g FROM generate_series(1, 100) g")
        asked.update(pause=False, resume=False)
        victim.start(*places)
        server.psql("".join(f"UPDATE {name} SET n = n + 1 WHERE id < 10;" for name in names[len(COMPARED):]))
        return victim.met("all are copied", paused_and_live_again)

    asked = {}
    # Before the first daemon: what one that was killed left half-written, the next has to open first.
    with DuckdbFile(str(daemon.warehouse), writable=True) as duck:
        duck.execute("CREATE SCHEMA public")
        for number in range(LIVES):
            duck.execute(f"CREATE TABLE public.kept{number} (n int, id int)")
            duck.execute(f"INSERT INTO public.kept{number} VALUES (0, -1)")
    victim.work()
    reached = chain(victim, dict.fromkeys(names_of("copy"), KILLS), life)
    daemon.catch_up(SECONDS)
    daemon.compare([tuple(name.split(".")) for name in names])
    slots = server.value("SELECT string_agg(slot_name, ' ') FROM pg_replication_slots")
    expect(slots == "re_dms", f"a slot is left: {slots}")
    report("copy", reached)


def redshift(server, victim):
    """A daemon that loads into Redshift, where somebody deletes a row of a table in each life, and that is asked to copy
    another."""
    daemon, standin = victim.daemon, victim.daemon.target.standin

    beside = [f"beside{number}" for number in range(1, 9)]

    def live():
        tables = daemon.status().get("tables") or {}
        return tables.get("coming") == [] and tables.get("live") == len(COMPARED) + len(beside) + 2

    def life(places):
        if daemon.target.columns("public", "damaged"):
            standin.sql("DELETE FROM public.damaged WHERE id = 1")
        # So often that the table is loaded alone.
        standin.clear_faults()
        standin.fail('^DELETE FROM "public"."beside1"', known="timeout", times=3)
        server.psql("UPDATE damaged SET n = n + 1")
        server.psql(f"BEGIN; {''.join(f'UPDATE {name} SET n = n + 1;' for name in beside)} COMMIT")
        lsn = server.lsn()
        victim.work()
        victim.start(*places)
        asked = []

        def mended_and_copied():
            # A daemon that dies meanwhile answers nothing.
            if daemon.position(LOADED_LSN) <= lsn or not live():
                return False
            if not asked:
                asked.append(daemon.run("resync", "public.pair")[0])
                return False
            return True

        return victim.met("all are copied", mended_and_copied)

    server.psql("CREATE TABLE damaged (id int PRIMARY KEY, n int); INSERT INTO damaged VALUES (1, 0), (2, 0)")
    server.psql("".join(f"CREATE TABLE {name} (id int PRIMARY KEY, n int); INSERT INTO {name} VALUES (1, 0);"
                        for name in beside))
    reached = chain(victim, dict.fromkeys(names_of("redshift"), KILLS), life)
    daemon.catch_up(SECONDS)
    daemon.compare([*COMPARED, ("public", "damaged"), *[("public", name) for name in beside]])
    report("redshift", reached)


def restart(server, victim):
    """A daemon that finds an unfinished transaction and half a record at the end of its journal."""
    daemon = victim.daemon
    victim.start()
    daemon.wait_ready()
    daemon.kill()
    for name in share("restart"):
        began = time.monotonic()
        victim.work()
        victim.start("journal-append-after:20")
        victim.met("journal-append-after:20")
        for _ in range(KILLS):
            tear_tail(daemon.journal)
            victim.start(name)
            # An abort record that was written needs no second one.
            if not victim.met(name, lambda: daemon.get("/readyz")[0] == 200):
                expect(name == "recovery-abort-after", f"{name} was not reached again")
                daemon.kill()
        victim.expect_equal()
        daemon.kill()
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)


def tear_tail(journal):
    with open(max(journal.glob("*.journal")), "ab") as segment:
        segment.write(b"\x40\0\0\0 a record that")


def main():
    run = {"first_start": first_start, "teardown": teardown, "flow": flow, "parts": parts,
           "restart": restart, "copy": copy, "redshift": redshift}[sys.argv[1]]
    many = each_of_many("CREATE TABLE %I (id int PRIMARY KEY, n int)") if run is parts else ""
    target = RedshiftTarget() if run is redshift else None
    options = {name: value for name, value in OPTIONS.items() if name != "table" or run is not redshift}
    with scenario(TABLES + many, options=options, target=target) as (server, daemon), Unheard(server):
        run(server, Victim(server, daemon))


main()
