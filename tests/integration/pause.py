#!/usr/bin/python3
"""Goal: `re_dms pause` leaves tables as they are, or stops all loading, beyond a restart; `re_dms resume` goes on where
they stand, without a copy, unless the journal was full meanwhile: then it says so."""

import random
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import traffic  # noqa: E402
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id int PRIMARY KEY, v text, long text);
ALTER TABLE public.t ALTER long SET STORAGE EXTERNAL;
CREATE TABLE public.far (id int PRIMARY KEY, at timestamp);
CREATE TABLE public.other (id int PRIMARY KEY, v text);"""
PAUSED = ("tables", "paused")
SMALL_JOURNAL = {"journal.segment_bytes": "1MiB", "journal.max_bytes": "8MiB", "batch.interval": "100ms"}


def ask(daemon, *words, code=0):
    found, printed, said = daemon.run(*words)
    expect(found == code, f"{words} ends with {found}: {printed}{said}")
    return printed + said


def paused_tables(daemon):
    return [table["table"] for table in daemon.said(PAUSED) or []]


def target(daemon, table):
    with daemon.target.open() as duck:
        return duck.query(f"SELECT * FROM public.{table} ORDER BY 1")


def wait_all_live(daemon):
    daemon.wait("nothing is paused or on its way", lambda: daemon.said(PAUSED) == [] and daemon.said(COMING) == [])


def pause_table(server, daemon):
    """One table stays behind, through a restart and a change of its shape."""
    server.psql("INSERT INTO t SELECT g, 'v', repeat('x', 3000) FROM generate_series(1, 20) g")
    daemon.catch_up()
    before = target(daemon, "t")
    ask(daemon, "pause", "public.t")
    daemon.wait("paused", lambda: paused_tables(daemon) == ["public.t"])
    for statement in ["UPDATE t SET v = 'w' WHERE id < 10", "DELETE FROM t WHERE id = 11",
                      "ALTER TABLE t ADD COLUMN more int DEFAULT 7", "UPDATE t SET id = -id WHERE id = 3",
                      "INSERT INTO t VALUES (100, 'new', NULL, 8)", "INSERT INTO other VALUES (1, 'goes on')"]:
        server.psql(statement)
    daemon.catch_up()
    expect(target(daemon, "t") == before, "a paused table changed")
    expect(len(target(daemon, "other")) == 1, "the others go on")
    daemon.kill()
    server.psql("UPDATE t SET v = 'later' WHERE id = 12")
    daemon.start().wait_ready()
    expect(paused_tables(daemon) == ["public.t"], "the pause is forgotten")
    daemon.catch_up()
    expect(target(daemon, "t") == before, "a paused table changed")
    found, printed, _ = daemon.run("status")
    expect(found == 3 and "Paused" in printed and "the journal keeps its changes" in printed, printed)
    expect("paused already" in ask(daemon, "pause", "t"), "it is paused already")
    expect("goes on" in ask(daemon, "resume", "t"), "resume")
    wait_all_live(daemon)
    daemon.catch_up()
    daemon.compare([("public", "t"), ("public", "other")])


def pause_all(server, daemon):
    """Reading goes on."""
    daemon.catch_up()
    ask(daemon, "pause")
    daemon.wait("paused", lambda: daemon.status()["state"] == "paused")
    server.psql("INSERT INTO other VALUES (2, 'waits')")
    daemon.wait_journaled()
    daemon.kill()
    expect("next start loads\n" in ask(daemon, "resume"), "resume while nothing runs")
    expect("next start loads nothing" in ask(daemon, "pause"), "pause while nothing runs")
    daemon.start()
    daemon.wait("paused still", lambda: daemon.status().get("state") == "paused")
    server.psql("INSERT INTO other VALUES (3, 'waits too')")
    daemon.wait_journaled()
    expect("after `re_dms resume`" in ask(daemon, "resync", "other"), "a verb waits too")
    expect(len(target(daemon, "other")) == 1, "something was loaded")
    ask(daemon, "resume")
    daemon.wait_ready()
    daemon.catch_up()
    daemon.compare([("public", "other")])


def pause_and_resume_at_random(server, daemon):
    dice = random.Random(7)
    names = [f'"{schema}"."{name}"' for schema, name in traffic.TABLES if '"' not in name]
    since = len(daemon.log_text())
    with traffic.Traffic(server, clients=3, pause=0.01, columns=150) as load:
        for _ in range(40):
            ask(daemon, dice.choice(["pause", "resume"]), *dice.sample(names, 3))
            load.run_for(dice.choice([0, 0, 0.3]))
    traffic.touch_tables(server)
    ask(daemon, "resume", "*.*")
    daemon.catch_up(120)
    wait_all_live(daemon)
    daemon.catch_up(120)
    daemon.compare(traffic.TABLES)
    said = daemon.log_text()[since:]
    expect("table_resumed" in said and "table_waits" not in said, "somebody was copied instead of going on")
    return load.transactions


def resume_what_was_set_aside(server, daemon):
    """It goes on, and is set aside again at the same value."""
    server.psql("INSERT INTO far VALUES (1, '294276-12-31')")
    daemon.wait("set aside", lambda: daemon.said(NOT_LIVE))
    server.psql("DELETE FROM far")
    since = len(daemon.log_text())
    ask(daemon, "resume", "far")
    daemon.wait("it catches up", lambda: "table_resumed" in daemon.log_text()[since:])
    daemon.wait("set aside or live", lambda: daemon.said(COMING) == [])
    ask(daemon, "resync", "far")
    daemon.wait("live", lambda: daemon.said(NOT_LIVE) == [] and daemon.said(COMING) == [])


def lose_the_hold(server, daemon):
    """At the journal's bound a paused table no longer holds it: the others go on."""
    ask(daemon, "pause", "t")
    daemon.wait("paused", lambda: paused_tables(daemon) == ["public.t"])
    daemon.stop()
    daemon.configure({**SMALL_JOURNAL, "source.include": [*traffic.INCLUDE, "public.*"]})
    daemon.start().wait_ready()
    for number in range(12):
        server.psql(f"INSERT INTO other SELECT {1000 * number} + g, repeat('y', 1000) FROM generate_series(11, 999) g")
        daemon.catch_up()
    said = daemon.log_text()
    expect("table_let_go" in said, "the journal is still held")
    expect("journal_held" in said[:said.index("table_let_go")], "nothing was said before")
    expect("resync" in ask(daemon, "resume", "t", code=2), "it cannot go on")
    daemon.kill()
    daemon.start().wait_ready()
    expect("resync" in ask(daemon, "resume", "t", code=2), "it cannot go on after a restart either")
    expect("resync" in daemon.run("status")[1], "status says so")
    ask(daemon, "resync", "t")
    wait_all_live(daemon)
    daemon.catch_up()
    daemon.compare([("public", "t"), ("public", "other")])


def main():
    with scenario(TABLES, options={"source.include": [*traffic.INCLUDE, "public.*"],
                                   "table": [{"match": "public.far", "bad_values": "error"}]}) as (server, daemon):
        traffic.create_tables(server)
        expect("not running" in ask(daemon, "pause", code=1), "nobody is there")
        daemon.start().wait_ready().wait_live(len(traffic.TABLES) + 4)
        expect("no table matches" in ask(daemon, "pause", "t", "missing", code=2), "a name that no table has")
        pause_table(server, daemon)
        pause_all(server, daemon)
        transactions = pause_and_resume_at_random(server, daemon)
        resume_what_was_set_aside(server, daemon)
        lose_the_hold(server, daemon)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    print(f"equal after {transactions} transactions")


main()
