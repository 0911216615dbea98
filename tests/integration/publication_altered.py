#!/usr/bin/python3
"""Goal: changes that were not published are noticed: the table is copied anew, whether the daemon ran or not, and the
others go on."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import MARKER  # noqa: E402
from scenario import expect, expect_refusal, scenario  # noqa: E402

TABLES = "".join(f"CREATE TABLE public.{name} (id int PRIMARY KEY, v text);"
                 for name in ("stays", "running", "down", "silent"))
PUBLISH = "ALTER PUBLICATION re_dms SET (publish = '{}')"
MADE_ANEW = f"CREATE PUBLICATION re_dms FOR TABLE stays, running, down, silent, {MARKER}"
STREAM_ENDS = ("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
               " WHERE slot_name = 're_dms' AND active")


def out_and_back(server, table):
    """Changes of the table that are nowhere in the stream, and one behind them that is."""
    server.psql(f"ALTER PUBLICATION re_dms DROP TABLE {table}; UPDATE {table} SET v = 'unseen';")
    server.psql(f"ALTER PUBLICATION re_dms ADD TABLE {table}; INSERT INTO {table} VALUES (2, 'seen');")


def expect_copied(daemon, table, words, since=0):
    print(f"{table}: {daemon.wait_copied_anew('public.' + table, words, since=since)}")
    daemon.compare([("public", table)])


def expect_others_equal(server, daemon, tables, row):
    """All that was committed before is loaded of the tables that go on."""
    server.psql("".join(f"INSERT INTO {table} VALUES ({row}, 'goes on');" for table in tables))
    daemon.catch_up(set_aside=True)
    daemon.compare([("public", table) for table in tables])


def tables_taken_out():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("".join(f"INSERT INTO {table} VALUES (1, 'first');"
                            for table in ("stays", "running", "down", "silent")))
        daemon.catch_up()
        out_and_back(server, "running")
        expect_copied(daemon, "running", "put back")
        server.psql("CREATE TABLE other (id int PRIMARY KEY); ALTER PUBLICATION re_dms ADD TABLE other")
        expect_others_equal(server, daemon, ["stays", "down", "silent", "running"], 10)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        out_and_back(server, "down")
        daemon.start().wait_ready()
        expect_copied(daemon, "down", "put back")
        # Nobody writes to it. Each stream begins with a question about all tables.
        server.psql("ALTER PUBLICATION re_dms DROP TABLE silent")
        server.psql(STREAM_ENDS)
        expect_copied(daemon, "silent", "the publication")
        expect_others_equal(server, daemon, ["stays", "silent"], 11)
        expect('"table":"public.stays"' not in daemon.log_text(), "the table that nobody touched goes on")


def changes_left_out():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO stays VALUES (1, 'first'); INSERT INTO silent VALUES (1, 'first')")
        daemon.catch_up()
        server.psql(PUBLISH.format("insert"))
        server.psql("UPDATE stays SET v = 'unseen'")
        server.psql(PUBLISH.format("insert, update, delete, truncate"))
        server.psql("INSERT INTO stays VALUES (2, 'seen')")
        expect_copied(daemon, "stays", "publication was altered")
        server.psql(STREAM_ENDS)
        expect_copied(daemon, "silent", "publication was altered")


def publication_dropped():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO stays VALUES (1, 'first')")
        daemon.catch_up()
        server.psql("DROP PUBLICATION re_dms")
        server.psql("INSERT INTO stays VALUES (2, 'unseen')")
        expect(daemon.wait_end() == 1, "it ends with 1")
        expect("Start over" in daemon.log_text().splitlines()[-1], daemon.log_text())
        expect_refusal(daemon, "publication", "does not exist", "Start over")
        server.psql(MADE_ANEW)
        # The server looks for it where the slot stands, and finds none.
        expect_refusal(daemon, "publication", "does not exist", "recreated", "Start over")


def publication_made_anew():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("INSERT INTO stays VALUES (1, 'first')")
        daemon.catch_up()
        daemon.stop()
        server.psql(f"DROP PUBLICATION re_dms; {MADE_ANEW}")
        daemon.start().wait_ready()
        for table in ("stays", "running", "down", "silent"):
            expect_copied(daemon, table, "recreated")


tables_taken_out()
changes_left_out()
publication_dropped()
publication_made_anew()
