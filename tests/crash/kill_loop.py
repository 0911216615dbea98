#!/usr/bin/python3
"""Goal: the daemon, killed over and over under traffic, ends with both sides equal.

    kill_loop.py [--kills N] [--seed N] [--power-cut LIBRARY] [--keep]

--power-cut LIBRARY   lose_unsynced: after most kills everything that was not synced is lost as well
                      (journal, staged files; not the DuckDB file), after the others it waits for the
                      next cut
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
from daemon import Daemon, create_marker  # noqa: E402
from postgres import Postgres  # noqa: E402
from power_cut import power_cut  # noqa: E402
from targets import is_redshift, open_target  # noqa: E402

CUT_SHARE = 0.7
# So that most kills find something that is written and not synced yet.
FSYNC_DELAY_MS = "20"
CATCH_UP_SECONDS = 120
# A cut may come when all is synced, but so many in a row do not.
KILLS_THAT_LOSE = 20


class KillLoop:
    def __init__(self, server, target, folder, dice, library):
        self._server, self._dice = server, dice
        self._disk, self._state = folder / "disk", folder / "state"
        self._disk.mkdir()
        self._state.mkdir()
        self._library = library
        environment = {} if not library else {
            "LD_PRELOAD": library, "LOSE_UNSYNCED_DIR": str(self._disk),
            "LOSE_UNSYNCED_STATE": str(self._state), "FSYNC_DELAY_MS": FSYNC_DELAY_MS,
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        options = {"source.include": traffic.INCLUDE, "journal.segment_bytes": "4MiB",
                   "journal.directory": str(self._disk / "journal")}
        if not is_redshift():
            options["stage.url"] = f"file://{self._disk / 'stage'}"
        self.daemon = Daemon(server, folder, options, environment=environment, target=target)

    def first_start(self):
        """Some tables hold rows by now and are copied while the first kills come."""
        self.daemon.start()

    def kill(self):
        """One kill at a random moment: while starting, catching up, reading, loading."""
        if self._dice.random() < 0.6:
            self.daemon.wait_ready()
        time.sleep(self._dice.expovariate(1 / 0.6))
        if not self.daemon.running():
            raise self.daemon.error(f"the daemon ended by itself: {self.daemon.process.returncode}")
        self.daemon.kill()
        lost = None
        if self._library and self._dice.random() < CUT_SHARE:
            lost = power_cut(self._disk, self._state, self._dice)
        self.daemon.start()
        return lost

    def finish(self):
        self.daemon.wait_ready()
        self.daemon.wait_live(len(traffic.TABLES) + 1, CATCH_UP_SECONDS)
        self.daemon.catch_up(CATCH_UP_SECONDS)
        code = self.daemon.stop()
        if code != 0:
            raise self.daemon.error(f"SIGTERM: exit code {code}")
        tables = traffic.TABLES
        return self.daemon.compare(tables)


def run(arguments, server, target, folder):
    dice = random.Random(arguments.seed)
    traffic.create_tables(server)
    create_marker(server)
    loop = KillLoop(server, target, folder, dice, arguments.power_cut)
    with loop.daemon:
        begin = time.monotonic()
        lost_in_all = 0
        with traffic.Traffic(server, seed=arguments.seed, clients=3, pause=0.02) as load:
            load.run_for(transactions=50)
            loop.first_start()
            for number in range(1, arguments.kills + 1):
                lost = loop.kill()
                lost_in_all += sum(lost or ())
                cut = f", power cut: {lost[0]} bytes and {lost[1]} entries lost" if lost else ""
                print(f"kill {number} at {time.monotonic() - begin:.1f} s,"
                      f" {load.transactions} transactions{cut}", flush=True)
        counts = loop.finish()
    if arguments.power_cut and arguments.kills >= KILLS_THAT_LOSE and lost_in_all == 0:
        raise AssertionError("the power cuts took nothing away")
    print(f"equal after {arguments.kills} kills and {load.transactions} transactions in"
          f" {time.monotonic() - begin:.0f} s: {sum(counts.values())} rows in {len(counts)} tables")


def keep(server, folder):
    """What is needed to look into a failure, in one place."""
    with open(folder / "source.sql", "wb") as dump:
        dump.write(server.dump())
    shutil.copy(server.log, folder / "postgres.log")
    print(f"kept: {folder} (configuration, journal, stage, warehouse, log, source.sql)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--power-cut", metavar="LIBRARY")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.power_cut:
        arguments.power_cut = str(Path(arguments.power_cut).resolve())
    folder = Path(tempfile.mkdtemp(prefix="re_dms_kill_loop."))
    print(f"seed {arguments.seed}, folder {folder}", flush=True)
    with Postgres() as server, open_target(folder) as target:
        try:
            run(arguments, server, target, folder)
        except BaseException:
            keep(server, folder)
            target.keep(folder)
            raise
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
