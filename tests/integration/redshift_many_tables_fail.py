#!/usr/bin/python3
"""Goal: many tables of a batch that fail for themselves are found together: they cost about as many tries as one."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

BAD = [f"bad{number:02}" for number in range(20)]
NAMES = BAD + [f"fine{number:02}" for number in range(40)]
FINE = [("public", name) for name in NAMES if name not in BAD]
TABLES = "".join(f"CREATE TABLE {name} (id int PRIMARY KEY);" for name in NAMES)
# One fails three times beside others and three times alone, and is given up in the try behind these.
TRIES_OF_ONE = 6
TRIES_MOST = 2 * TRIES_OF_ONE


def waiting(daemon):
    return {entry["table"] for entry in (daemon.said(COMING) or []) + (daemon.said(NOT_LIVE) or [])
            if "alone fail" in (entry.get("reason") or "")}


def main():
    with scenario(TABLES, options={"batch.interval": "50ms"}, target=RedshiftTarget()) as (server, daemon):
        daemon.environment["RE_DMS_RETRY_MS"] = "5,20"
        daemon.start().wait_ready().wait_live(len(NAMES) + 1)
        standin = daemon.target.standin
        standin.fail('^COPY "public"."bad', known="disk_full", times=100_000)
        since = len(daemon.log_text())
        server.psql("BEGIN;" + "".join(f"INSERT INTO {name} VALUES (1);" for name in NAMES) + "COMMIT")
        daemon.wait("all are given up", lambda: waiting(daemon) >= {f"public.{name}" for name in BAD})
        said = daemon.log_text()[since:]
        tries = said[:said.index('"table_waits"')].count('"load_retry"')
        daemon.compare(FINE)
        standin.clear_faults()
        daemon.wait_live(len(NAMES) + 1)
        daemon.catch_up()
        daemon.compare()
        expect(tries <= TRIES_MOST, f"{len(BAD)} tables that fail cost {tries} tries")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    print(f"{len(BAD)} of {len(NAMES)} tables failed, and were found in {tries} tries")


main()
