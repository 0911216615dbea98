#!/usr/bin/python3
"""Goal: a table that cannot be published is left out with that reason; the others are replicated, those too that come
while the daemon runs."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import ROWS_LOADED  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.empty (id serial PRIMARY KEY);
CREATE TABLE public.filled (id serial PRIMARY KEY); INSERT INTO public.filled DEFAULT VALUES;
CREATE TABLE public.keyless (a int);"""


def left_out(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.status()["tables"]["left_out"]}


def come_and_go(server, daemon):
    """Tables and partitions that come while the stream runs join; those that cannot are in status, log and metrics,
    until they go."""
    live = daemon.status()["tables"]["live"]
    before = len(left_out(daemon))
    server.psql("CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1), (2);"
                " CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                " CREATE TABLE leaf PARTITION OF parted DEFAULT; INSERT INTO parted VALUES (1);"
                " BEGIN; CREATE TABLE unlogged (id int); ALTER TABLE unlogged SET UNLOGGED; COMMIT")
    daemon.wait_live(live + 2)
    server.psql("UPDATE fresh SET id = 3 WHERE id = 1; DELETE FROM parted")
    daemon.catch_up()
    daemon.compare([("public", "fresh"), ("public", "leaf")])
    daemon.wait("the one that cannot", lambda: "public.unlogged" in left_out(daemon))
    lines = [line for line in daemon.log_text().splitlines() if "table_left_out" in line and "public.unlogged" in line]
    expect(len(lines) == 1, f"said once: {lines}")
    expect(f"re_dms_tables_left_out {before + 1}" in daemon.get("/metrics")[1], daemon.get("/metrics")[1])
    server.psql("DROP TABLE unlogged")
    daemon.wait("the table is gone", lambda: "public.unlogged" not in left_out(daemon))


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "50"
        daemon.start().wait_ready()
        server.psql("INSERT INTO filled DEFAULT VALUES; INSERT INTO empty DEFAULT VALUES;"
                    " INSERT INTO keyless VALUES (1); UPDATE keyless SET a = 2;")
        daemon.wait("loaded", lambda: daemon.said(ROWS_LOADED))
        tables = daemon.wait("status of the tables", lambda: daemon.said(("tables",)))
        reasons = {entry["table"]: entry["reason"] for entry in tables["left_out"] + tables["not_live"]}
        expect("public.filled" not in reasons, f"filled is replicated: {reasons}")
        expect("identity" in reasons.get("public.keyless", "") or "key" in
               reasons.get("public.keyless", ""), f"keyless is named with its reason: {reasons}")
        daemon.wait_live(3)
        daemon.catch_up()
        daemon.compare([("public", "empty"), ("public", "filled")])
        with daemon.target.open() as duck:
            expect(not duck.columns("public", "keyless"), "keyless is not in the target")
        come_and_go(server, daemon)
    print(f"left out: {reasons}")


main()
