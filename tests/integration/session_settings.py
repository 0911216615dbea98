#!/usr/bin/python3
"""Goal: what database, role and environment say does not change what arrives; a pooler that drops what the daemon
asks for is refused, by check too."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from dropping_pooler import DroppingPooler  # noqa: E402
from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402

SQL = """
CREATE TABLE public.t (id int PRIMARY KEY, d date, at timestamptz, b bytea);
ALTER DATABASE postgres SET datestyle = 'German';
ALTER DATABASE postgres SET bytea_output = 'escape';
ALTER DATABASE postgres SET timezone = 'Asia/Tokyo';
ALTER DATABASE postgres SET default_transaction_read_only = on;
ALTER ROLE postgres SET statement_timeout = '1min';
ALTER ROLE postgres SET row_security = on;"""
ROW = """SET default_transaction_read_only = off;
INSERT INTO t VALUES ({}, '2024-06-30', '2024-06-30 18:30:00+00', '\\x00ff')"""


def main():
    with scenario(SQL) as (server, daemon):
        with DroppingPooler(server) as pooler:
            daemon.configure({"source.url": pooler.url()})
            expect_check(daemon, "datestyle", "bytea_output", "a direct connection is needed")
            expect_refusal(daemon, "datestyle", "bytea_output", "a direct connection is needed")
        with DroppingPooler(server, ("replication",)) as pooler:
            daemon.configure({"source.url": pooler.url()})
            expect_check(daemon, "not a replication connection", "a direct connection is needed")
            expect_refusal(daemon, "not a replication connection", "a direct connection is needed")

        expect(server.value("SELECT count(*) FROM pg_replication_slots") == "0", "no slot is left behind")
        daemon.environment |= {"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo", "PGCLIENTENCODING": "LATIN1",
                               "PGGEQO": "off", "PGOPTIONS": "-c bytea_output=escape"}
        daemon.configure({})
        daemon.start().wait_ready()
        server.psql(ROW.format(1))
        lsn = server.lsn()
        server.psql(ROW.format(2))
        daemon.wait_beyond(lsn)
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
