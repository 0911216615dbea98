#!/usr/bin/python3
"""Goal: SIGHUP has the configuration read again: which tables are replicated and the interval change while the daemon
runs, other keys are named and left, and a file with faults changes nothing."""

import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.stays (id int PRIMARY KEY, v text); INSERT INTO public.stays VALUES (1, 'one');
CREATE TABLE public.secret (id int PRIMARY KEY, v text); INSERT INTO public.secret VALUES (1, 'one');
CREATE SCHEMA extra; CREATE TABLE extra.late (id int PRIMARY KEY, v text); INSERT INTO extra.late VALUES (1, 'one');"""
REMOVED = ("tables", "removed")
PUBLISHED = "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY 1) FROM pg_publication_tables"


def reload(daemon, options, event="configuration_read"):
    """What is said after SIGHUP, up to EVENT."""
    since = len(daemon.log_text())
    daemon.configure(options)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(event, lambda: event in daemon.log_text()[since:])
    return daemon.log_text()[since:]


def rows(daemon, table):
    with daemon.target.open() as duck:
        return len(duck.query(f"SELECT * FROM {table}"))


def change_interval(server, daemon):
    said = reload(daemon, {"batch.interval": "100ms", "journal.max_bytes": "5GiB"})
    expect("batch.interval counts from now on" in said, said)
    expect("journal.max_bytes was changed: that counts from the next start on" in said, said)
    said = reload(daemon, {"batch.interval": "100ms", "table": [{"match": "public.stays", "bad_values": "null"}]})
    expect("what [[table]] sections say of match, initial_copy and types (of on_drop_column, bad_values" in said
           and "from the next start on" in said, said)
    server.psql("INSERT INTO stays VALUES (2, 'two')")
    daemon.catch_up()


def exclude(server, daemon):
    reload(daemon, {"batch.interval": "100ms", "source.exclude": ["public.secret"]})
    daemon.wait("it is left out", lambda: [each["table"] for each in daemon.said(REMOVED) or []] == ["public.secret"])
    server.psql("INSERT INTO secret VALUES (2, 'unseen'); INSERT INTO stays SELECT max(id) + 1, 'more' FROM stays")
    daemon.catch_up()
    expect(rows(daemon, "public.secret") == 1, "what is excluded stays as it was")
    expect(server.value(PUBLISHED) == "public.marker public.stays", server.value(PUBLISHED))
    daemon.kill()
    daemon.start().wait_ready()
    daemon.catch_up()
    daemon.compare([("public", "stays")])


def include_by_a_restart(server, daemon):
    expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    daemon.configure({"batch.interval": "100ms"})
    daemon.start().wait_ready()
    daemon.wait("it has joined", lambda: daemon.said(("tables", "live")) == 3 and daemon.said(COMING) == [])
    daemon.catch_up()
    daemon.compare([("public", "stays"), ("public", "secret")])


def include(server, daemon):
    said = reload(daemon, {"batch.interval": "100ms", "source.include": ["public.*", "extra.*"]})
    expect("source.exclude counts" in said and "source.include counts" in said, said)
    server.psql("INSERT INTO secret VALUES (3, 'seen'); INSERT INTO extra.late VALUES (2, 'two')")
    daemon.wait("both have joined", lambda: daemon.said(("tables", "live")) == 4 and daemon.said(COMING) == [])
    server.psql("UPDATE secret SET v = 'changed'; UPDATE extra.late SET v = 'changed' WHERE id = 2")
    daemon.catch_up()
    daemon.compare([("public", "stays"), ("public", "secret"), ("extra", "late")])


def main():
    with scenario(TABLES, options={"batch.interval": "1h"}) as (server, daemon):
        daemon.start().wait_ready()
        change_interval(server, daemon)
        said = reload(daemon, {"batch.interval": "sometimes"}, "configuration_refused")
        expect("batch.interval" in said and "goes on with what it had" in said, said)
        server.psql("INSERT INTO stays VALUES (4, 'four')")
        daemon.catch_up()
        exclude(server, daemon)
        include_by_a_restart(server, daemon)
        server.psql("DELETE FROM secret WHERE id > 1")
        daemon.catch_up()
        exclude(server, daemon)
        include(server, daemon)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
