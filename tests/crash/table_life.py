#!/usr/bin/python3
"""Goal: tables that come, go, come back, change names, are asked for anew, paused and resumed, under traffic, while
daemon, power and server fail, end equal.

    table_life.py [--seed N] [--events N] [--power-cut LIBRARY] [--keep]

An event is one of VERBS. Between two of them the traffic goes on: on the tables of traffic.py, which are truncated and
get columns too, and on those that come and go here.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import traffic  # noqa: E402
from come_and_go import ComeAndGo  # noqa: E402
from daemon import LOADED_LSN, MARKER, NOT_LIVE, create_marker  # noqa: E402
from kill_loop import KillLoop, keep  # noqa: E402
from postgres import Postgres  # noqa: E402
from scenario import expect  # noqa: E402
from targets import DuckdbTarget  # noqa: E402

CALM_SECONDS = 120
PUBLISHED = ("SELECT concat_ws(E'\\t', schemaname, tablename) FROM pg_publication_tables"
             f" WHERE pubname = 're_dms' AND schemaname || '.' || tablename <> '{MARKER}'")


class TableLife:
    def __init__(self, server, target, folder, dice, library):
        self.server, self.dice = server, dice
        self.loop = KillLoop(server, target, folder, dice, library)
        self.daemon = self.loop.daemon
        self.daemon.environment["RE_DMS_CATALOG_MS"] = "200"
        self.newcomers = ComeAndGo(server, dice)
        self.done = dict.fromkeys(VERBS, 0)

    # --- what may happen -----------------------------------------------------------------------------

    def kill(self):
        self.loop.kill()

    def restart_server(self):
        self.server.restart(self.dice.choice(["fast", "immediate"]))

    def restart_both(self):
        """The daemon comes back before the server does."""
        self.server.stop(self.dice.choice(["fast", "immediate"]))
        self.daemon.kill()
        self.daemon.start()
        self.server.start()

    def come(self):
        self.newcomers.create()

    def go(self):
        self.newcomers.drop()

    def come_back(self):
        self.newcomers.make_anew()

    def change_names(self):
        self.newcomers.swap()

    def resync(self):
        """Whatever state they are in."""
        self._ask("resync", self.dice.choice([["--all"], self._some_tables()]))

    def pause(self):
        self._ask("pause", self._some_tables())

    def resume(self):
        self._ask("resume", self._some_tables())

    def pause_loading(self):
        """A daemon that is killed meanwhile does not forget it."""
        self._ask("pause", [])
        if self.dice.random() < 0.5:
            self.daemon.kill()
            self.daemon.start()
        self._ask("resume", [])

    def _some_tables(self):
        """One table, or several."""
        one = self.dice.choice(["int_key", "toasted", "restless", "full_plain"])
        return [self.dice.choice(["public.*", "public.life*", f"public.{one}", f"public.{one}"])]

    def _ask(self, verb, names):
        # A daemon whose loading is paused is not ready, and answers.
        self.daemon.wait("its target is open", lambda: self.daemon.said(LOADED_LSN))
        code, printed, said = self.daemon.run(verb, *names)
        # Of the tables that come and go none may be there; one that the journal does not keep is refused.
        expect(code == 0 or "no table matches" in said or "cannot go on" in said,
               f"{verb} {names}: {code}\n{printed}{said}")

    # --- and how it ends -----------------------------------------------------------------------------

    def happen(self, load):
        verb = self.dice.choices(list(VERBS), list(VERBS.values()))[0]
        self.done[verb] += 1
        print(f"{verb} after {load.transactions} transactions", flush=True)
        getattr(self, verb)()
        load.run_for(self.dice.expovariate(1 / 0.5))
        if not self.daemon.running():
            raise self.daemon.error(f"the daemon ended by itself: {self.daemon.process.returncode}")

    def calm(self):
        """Everything that can be followed is, and nothing is left over in the source."""
        traffic.touch_tables(self.server)
        self.newcomers.touch()
        self.daemon.wait_ready()
        self._ask("resume", ["*.*"])
        tables = self._all_live()
        left = {entry["table"]: entry["reason"] for entry in self.daemon.said(NOT_LIVE)}
        expect(all("dropped" in reason for reason in left.values()), f"waiting for a person: {left}")
        slots = self.server.value("SELECT string_agg(slot_name, ' ') FROM pg_replication_slots")
        expect(slots == "re_dms", f"a slot is left: {slots}")
        # A table that is dropped waits for a person: 3.
        code = self.daemon.stop()
        expect(code == (3 if left else 0), f"SIGTERM: exit code {code}, not live {left}")
        return self.daemon.compare(tables)

    def _all_live(self):
        """The tables of the publication, all of which are live: those too that the daemon meets only now."""
        wanted = {*traffic.TABLES, *self.newcomers.tables()}

        def followed():
            tables = [tuple(line.split("\t")) for line in self.server.psql(PUBLISHED).splitlines()]
            live = (self.daemon.status().get("tables") or {}).get("live")
            return tables if set(tables) == wanted and live == len(tables) + 1 else None

        self.daemon.wait("all are published and live", followed, CALM_SECONDS)
        self.daemon.catch_up(CALM_SECONDS, set_aside=True)
        return self.daemon.wait("they still are", followed, CALM_SECONDS)


# What happens, and how often beside the others.
VERBS = {"kill": 5, "restart_server": 2, "restart_both": 1, "come": 4, "go": 2, "come_back": 3, "change_names": 2,
         "resync": 4, "pause": 4, "resume": 3, "pause_loading": 1}


def run(arguments, server, target, folder):
    dice = random.Random(arguments.seed)
    traffic.create_tables(server)
    create_marker(server)
    life = TableLife(server, target, folder, dice, arguments.power_cut)
    began = time.monotonic()
    with life.daemon, traffic.Traffic(server, seed=arguments.seed, clients=3, pause=0.02, columns=150) as load:
        load.run_for(transactions=50)
        life.newcomers.create()
        # PostgreSQL 15 takes the catalog wrong for ever where its tables are altered while the slot is made ("pg_attribute
        # catalog is missing 1 attribute(s)"): nobody can read that slot.
        life.daemon.start().wait_ready()
        with life.newcomers:
            for _ in range(arguments.events):
                life.happen(load)
        load.stop()
        counts = life.calm()
    print(f"equal after {life.done} and {load.transactions} + {life.newcomers.transactions} transactions in"
          f" {time.monotonic() - began:.0f} s: {sum(counts.values())} rows in {len(counts)} tables")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=25)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--power-cut", metavar="LIBRARY")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.power_cut:
        arguments.power_cut = str(Path(arguments.power_cut).resolve())
    folder = Path(tempfile.mkdtemp(prefix="re_dms_table_life."))
    print(f"seed {arguments.seed}, folder {folder}", flush=True)
    with Postgres() as server, DuckdbTarget(folder) as target:
        try:
            run(arguments, server, target, folder)
        except BaseException:
            keep(server, folder)
            raise
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
