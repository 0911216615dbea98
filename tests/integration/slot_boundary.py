#!/usr/bin/python3
"""Goal: every row of transactions that are open, or commit, while a slot is made is in the target exactly once.

    slot_boundary.py [SLOTS]     how many slots are made at least, a few without

24 clients write to the table whose slot is being made, each row in a transaction of its own (BEGIN … COMMIT), and each
table is copied once: what its boundary does wrong stays in it. The COMMIT of some begins exactly where the slot does:
it belongs to the stream, not to the copy."""

import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import json  # noqa: E402

from cluster import as_owner  # noqa: E402
from postgres import parse_lsn  # noqa: E402
from scenario import expect, scenario  # noqa: E402

SLOTS = 12
# And more, until so many have met a COMMIT.
MET = 2
SLOTS_MAX = 300
WRITERS = 24
PER_SECOND = 1500
WRITE = """
CREATE SCHEMA aside; CREATE TABLE aside.moment (name text); INSERT INTO aside.moment VALUES ('public.t0');
CREATE FUNCTION aside.write(writer int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO %s (writer) VALUES ($1)', (SELECT name FROM aside.moment)) USING writer;
END $$"""
SCRIPT = b"BEGIN;\nSELECT aside.write(:client_id);\nCOMMIT;\n"


class Writers:
    """Clients that write to the table of the moment; `with` it they do."""

    def __init__(self, server):
        self._server, self._process = server, None
        server.psql(WRITE)

    def turn_to(self, table):
        self._server.psql(f"UPDATE aside.moment SET name = '{table}'")

    def __enter__(self):
        command = [self._server.bin / "pgbench", "-n", "-c", str(WRITERS), "-R", str(PER_SECOND), "-T", "3600", "-f",
                   "/dev/stdin"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                         env=self._server.environment())
        self._process.stdin.write(SCRIPT)
        self._process.stdin.close()
        return self

    def __exit__(self, *_):
        failed = self._process.poll()
        self._process.terminate()
        self._process.wait()
        expect(failed is None, f"the writers ended with {failed}")


def boundaries(daemon):
    """The positions of all copies so far."""
    lines = map(json.loads, daemon.log_text().splitlines())
    return [line["position"] for line in lines if line["event"] == "copied"]


def rows_at(server, table, position):
    """How many rows of the table are of a transaction whose COMMIT begins exactly there."""
    dump = subprocess.run(as_owner(server.bin / "pg_waldump", "-p", server.data / "pg_wal", "-s", position, "-n", "1"),
                          capture_output=True, text=True, check=False).stdout
    found = re.search(r"tx: +(\d+), lsn: (\S+),.*COMMIT", dump)
    if not found or parse_lsn(found[2]) != parse_lsn(position):
        return 0
    return int(server.value(f"SELECT count(*) FROM {table} WHERE xmin::text = '{found[1]}'"))


def next_table(server, daemon, writers, number):
    """Makes a table, writes to it, and waits until it is copied; returns how many of its rows are committed exactly at
    the boundary."""
    server.psql(f"CREATE TABLE public.t{number} (id bigserial PRIMARY KEY, writer int)")
    writers.turn_to(f"public.t{number}")
    daemon.wait(f"t{number} is copied", lambda: len(boundaries(daemon)) >= number)
    return rows_at(server, f"t{number}", boundaries(daemon)[number - 1])


def main():
    slots = int(sys.argv[1]) if len(sys.argv) > 1 else SLOTS
    with scenario("CREATE TABLE public.t0 (id bigserial PRIMARY KEY, writer int)",
                  settings={"wal_keep_size": "4GB"}) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "100"
        made = met = 0
        with Writers(server) as writers:
            # The first slot is made by the start itself.
            daemon.start().wait_ready()
            while made < slots or (met < MET and made < SLOTS_MAX):
                made += 1
                met += next_table(server, daemon, writers, made)
        daemon.catch_up(120)
        counts = daemon.compare([("public", f"t{number}") for number in range(made + 1)])
        expect(met >= MET, f"of {made} slots only {met} began exactly where a COMMIT does")
    print(f"equal: {sum(counts.values())} rows of {made + 1} slots; {met} rows were committed exactly at a boundary")


main()
