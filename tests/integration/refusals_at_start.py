#!/usr/bin/python3
"""Goal: what a first start cannot work with is refused, by check too, with what to do; no slot is left behind."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import socket  # noqa: E402

from daemon import Daemon  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from postgres import Postgres  # noqa: E402
from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402

SQL = """
CREATE TABLE public.t (id int PRIMARY KEY);
CREATE ROLE with_password LOGIN REPLICATION PASSWORD 'right';
CREATE ROLE no_replication LOGIN;
CREATE ROLE no_owner LOGIN REPLICATION;
SELECT pg_create_logical_replication_slot('of_another_plugin', 'test_decoding');
SELECT pg_create_physical_replication_slot('physical')"""
RULES = "local all with_password scram-sha-256\nlocal all all trust\nlocal replication all trust\n"
SLOTS = "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots"


def refused(daemon, options, *words):
    """The same fault is found by check and by run."""
    daemon.configure(options)
    expect_check(daemon, *words)
    expect_refusal(daemon, *words)


def waits(daemon, options, *words):
    """A fault that may pass: run says it in its status, and stops when told to."""
    daemon.configure(options)
    expect_check(daemon, *words)
    daemon.start()
    said = daemon.wait(f"status says {words}", lambda: all(
        word in daemon.status().get("reason", "") for word in words) and daemon.log_text())
    expect(said.count("source_retry") < 20, f"the log is not filled:\n{said}")
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")


def of_the_source(server, daemon):
    def url(**parts):
        return "postgresql:///{database}?host={host}&port=5432&user={user}&password=wrong".format(
            **{"database": "postgres", "host": server.root, "user": "postgres", **parts})

    refused(daemon, {"source.url": url(user="with_password")}, "28P01", "the password is wrong")
    refused(daemon, {"source.url": url(database="nowhere")}, "nowhere", "existing database")
    refused(daemon, {"source.url": url(user="no_replication")}, "ALTER ROLE … REPLICATION")
    refused(daemon, {"source.url": url(user="no_owner")}, "Publishing a table requires",
            "CREATE PUBLICATION")
    waits(daemon, {"source.url": url(host="/nonexistent")}, "Nobody answers", "host and port")
    for slot, why in (("of_another_plugin", "test_decoding"), ("physical", "physical slot")):
        refused(daemon, {"source.slot": slot}, slot, why, "choose another source.slot")


def of_directories(daemon):
    file = daemon.folder / "file"
    file.write_text("no database, but long enough to be looked at" * 100, encoding="utf-8")
    refused(daemon, {"journal.directory": f"{file}/journal"}, str(file), "choose another")
    refused(daemon, {"stage.url": f"file://{file}/stage"}, str(file), "choose another directory")
    refused(daemon, {"warehouse.url": f"duckdb://{file}"}, str(file), "not a valid DuckDB database")
    refused(daemon, {"warehouse.url": f"duckdb://{daemon.folder}/nowhere/w.duckdb"}, "nowhere",
            "does not exist", "Create it")
    foreign = daemon.folder / "foreign.duckdb"
    with Postgres() as other, Daemon(other, daemon.folder / "other", {
            "source.slot": "other", "warehouse.url": f"duckdb://{foreign}"}) as loading:
        expect(loading.run("run", "--until", "now")[0] == 0, "the other one has loaded")
        refused(daemon, {"warehouse.url": f"duckdb://{foreign}"}, 'slot "other"', "warehouse.url")
    with DuckdbFile(str(foreign)) as duck:
        expect(duck.value("SELECT slot FROM re_dms_internal.source") == "other", "left as it was")


def of_the_configuration(daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(daemon, {"observe.listen": f"127.0.0.1:{taken.getsockname()[1]}"},
                "already in use", "observe.listen")
    for options, words in (
            ({"source.slto": "x"}, ["source.slto", "did you mean source.slot?"]),
            ({"batch.interval": "soon"}, ["batch.interval", '"soon"', "expected"]),
            ({"source.url": "postgresql:///?sslmod=disable"}, ["sslmod"])):
        daemon.configure(options)
        for command in ("check", "run"):
            code, printed, said = daemon.run(command)
            missing = [word for word in words if word not in printed + said]
            wanted = 1 if command == "check" and "source.url" in options else 2
            expect(code == wanted and not missing, f"{command}: {code}, {missing}:\n{printed}{said}")


def until_there_is_a_slot(server, daemon):
    server.psql("SELECT pg_create_physical_replication_slot('more' || i) FROM generate_series(1, 2) i")
    daemon.configure({})
    expect_check(daemon, "4 of 4 in use", "max_replication_slots")
    daemon.start()
    daemon.wait("status says it", lambda: "max_replication_slots" in daemon.status().get("reason", ""))
    server.psql("SELECT pg_drop_replication_slot('more1')")
    daemon.wait_ready()
    server.psql("INSERT INTO t VALUES (1)")
    daemon.catch_up()
    daemon.compare()


def main():
    with scenario(SQL, settings={"max_replication_slots": "4"}) as (server, daemon):
        (server.data / "pg_hba.conf").write_text(RULES, encoding="utf-8")
        server.psql("SELECT pg_reload_conf()")
        of_the_source(server, daemon)
        of_directories(daemon)
        of_the_configuration(daemon)
        expect(server.value(SLOTS) == "of_another_plugin physical", "no slot is left behind")
        until_there_is_a_slot(server, daemon)


main()
