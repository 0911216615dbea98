#!/usr/bin/python3
"""Goal: a disk that is full or read-only is named with what to do; nothing is lost, and all goes on once it writes."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import errno  # noqa: E402

from daemon import Daemon  # noqa: E402
from scenario import expect, expect_check, scenario  # noqa: E402

LIBRARY = sys.argv[1]


class Place:
    """A daemon of its own, one folder of which takes no writes while `refuse` holds."""

    def __init__(self, server, folder, name, options):
        self.server = server
        self.disk = folder / f"{name}.disk"
        self.disk.mkdir(parents=True)
        self.flag = folder / f"{name}.flag"
        options = {key: value.format(self.disk) for key, value in options.items()}
        self.daemon = Daemon(server, folder / name, {
            "source.slot": name, "source.publication": name, "source.include": [f"public.{name}"],
            **options}, environment={
                "LD_PRELOAD": LIBRARY, "REFUSE_WRITES_BELOW": str(self.disk),
                "REFUSE_WRITES_WHILE": str(self.flag)})
        if "warehouse.url" in options:
            self.daemon.warehouse = self.disk / "w.duckdb"
        self.table = f"public.{name}"
        server.psql(f"CREATE TABLE {self.table} (id serial PRIMARY KEY, a text)")
        self.daemon.start().wait_ready()
        self.write()
        self.loaded()

    def refuse(self, code):
        self.flag.write_text(str(code), encoding="utf-8")

    def write(self):
        self.server.psql(f"INSERT INTO {self.table} (a) SELECT md5(i::text) FROM generate_series(1, 1000) i;"
                         f" UPDATE {self.table} SET a = a || '!' WHERE id % 7 = 0")

    def loaded(self):
        """As the daemon's catch_up: the marker is not in this publication, so this adds a write that
        changes nothing, as it may not be loaded yet."""
        self.write()
        end = self.server.lsn()
        self.server.psql(f"UPDATE {self.table} SET a = a WHERE id = 1")
        self.daemon.wait_beyond(end)
        self.daemon.compare([tuple(self.table.split("."))])

    def said(self, *words):
        said = self.daemon.log_text()
        missing = [word for word in words if word not in said]
        expect(not missing, f"the log lacks {missing}:\n{said}")

    def lifted(self):
        self.flag.unlink()
        if not self.daemon.running():
            self.daemon.start().wait_ready()
        self.loaded()
        expect(self.daemon.stop() == 0, "SIGTERM ends it with 0")


def wait_reason(daemon, *words):
    daemon.wait(f"status says {words}",
                lambda: all(word in daemon.status().get("reason", "") for word in words))
    return daemon.status()["state"]


def waits(place, state, *words):
    """It is tried again, and goes on by itself."""
    place.refuse(errno.ENOSPC)
    place.write()
    said = wait_reason(place.daemon, *words)
    expect(said == state, f"the state is {said}")
    place.daemon.wait("reading goes on", lambda: place.daemon.said(("source", "connected")))
    lines = place.daemon.log_text().count("_retry")
    expect(lines < 30, f"the log is not filled: {lines}")
    place.lifted()


def ends(place, code, *words):
    """The run ends with the reason, the next one too."""
    place.refuse(code)
    place.write()
    expect(place.daemon.wait_end() == 1, "it ends with 1")
    place.said(*words)
    expect_check(place.daemon, str(place.disk))
    place.daemon.start()
    expect(place.daemon.wait_end() == 1, "it ends with 1 again")
    place.lifted()


def first_start(server, folder):
    """The disk is full from where the slot is made: neither slot nor publication stay behind."""
    disk, flag = folder / "first.disk", folder / "first.flag"
    disk.mkdir(parents=True)
    server.psql("CREATE TABLE public.first (id serial PRIMARY KEY, a text)")
    daemon = Daemon(server, folder / "first", {
        "source.slot": "first", "source.publication": "first", "source.include": ["public.first"],
        "source.lock_timeout": "5m", "journal.directory": f"{disk}/journal"}, environment={
            "LD_PRELOAD": LIBRARY, "REFUSE_WRITES_BELOW": str(disk), "REFUSE_WRITES_WHILE": str(flag)})
    with daemon, server.session() as writer:
        # The slot waits for whoever writes, so that the disk is full when it is made.
        writer.must("BEGIN; INSERT INTO public.first (a) VALUES ('x')")
        daemon.start()
        daemon.wait("the slot is being made", lambda: server.value(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE_REPLICATION_SLOT%' AND"
            " wait_event = 'transactionid'") == "1")
        flag.write_text(str(errno.ENOSPC), encoding="utf-8")
        writer.must("ROLLBACK")
        expect(daemon.wait_end() == 1, "it ends with 1")
        said = daemon.log_text()
        expect(f"{disk}/journal" in said and "No space left" in said, said)
        left = server.value("SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'first') +"
                            " (SELECT count(*) FROM pg_publication WHERE pubname = 'first')")
        expect(left == "0", f"{left} of slot and publication stay behind:\n{said}")
        flag.unlink()
        daemon.start().wait_ready()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


def main():
    with scenario() as (server, unused):
        folder = unused.folder
        warehouse = {"warehouse.url": "duckdb://{}/w.duckdb"}
        stage = {"stage.url": "file://{}/stage"}
        journal = {"journal.directory": "{}/journal"}
        waits(Place(server, folder, "warehouse", warehouse), "warehouse away", "w.duckdb", "No space left", "Free space")
        waits(Place(server, folder, "stage", stage), "stage away", "the stage's disk is full", "/stage/",
              "No space left", "Free space")
        ends(Place(server, folder, "stage_read_only", stage), errno.EROFS, "/stage/", "read-only",
             "stage.url")
        ends(Place(server, folder, "journal", journal), errno.ENOSPC, "/journal/", "No space left",
             "nothing is lost")
        ends(Place(server, folder, "journal_read_only", journal), errno.EROFS, "/journal/",
             "read-only", "remount")

        # A transaction of which the stage cannot take all: nothing of it can be loaded and make room.
        large = Place(server, folder, "stage_large", {**stage, "batch.memory": "64MiB"})
        large.refuse(errno.ENOSPC)
        server.psql("INSERT INTO stage_large SELECT i, repeat(md5(i::text), 8) FROM"
                    " generate_series(100000, 220000) i")
        expect(large.daemon.wait_end() == 1, "it ends with 1")
        large.said("transaction ", "with commit LSN", "does not fit the stage", "bytes of it are staged",
                   "/stage/", "No space left", "stage.url")
        large.lifted()

        first_start(server, folder)

        # Other files fill the journal's disk: reading pauses before it is full.
        low = unused
        low.configure({"journal.reserve_bytes": "8000TiB"})
        wait_reason(low.start(), "must stay free", str(low.journal))


main()
