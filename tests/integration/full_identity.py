#!/usr/bin/python3
"""Goal: REPLICA IDENTITY FULL, without a key, with one, and while the key comes and goes."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import is_redshift  # noqa: E402

TABLES = """
CREATE TABLE public.log (at timestamptz, level text, value float8, tags text[], body jsonb, raw bytea);
CREATE TABLE public.later (id int PRIMARY KEY DEFERRABLE, name text);
CREATE TABLE public.doc (id int PRIMARY KEY, n int, body text);
CREATE TABLE public.derived (a int, b int, g int GENERATED ALWAYS AS (b * 2) STORED, PRIMARY KEY (a, g));
CREATE TABLE public.keyed (a int PRIMARY KEY, g int GENERATED ALWAYS AS (a % 2) STORED NOT NULL);
ALTER TABLE derived REPLICA IDENTITY FULL;
CREATE TABLE public.turning (id int, name text, CONSTRAINT turning_key PRIMARY KEY (id));
ALTER TABLE doc ALTER body SET STORAGE EXTERNAL;
ALTER TABLE log REPLICA IDENTITY FULL; ALTER TABLE later REPLICA IDENTITY FULL;
ALTER TABLE doc REPLICA IDENTITY FULL; ALTER TABLE turning REPLICA IDENTITY FULL;"""

# A value that Redshift cannot hold sets the table aside.
ODD = "7.25" if is_redshift() else "'NaN'"
LINE = "INSERT INTO log VALUES ('2026-01-01', 'info', {}, '{{a,NULL}}', '{{\"k\": 1}}', '\\x00ff');"

STEPS = {
    "equal rows": LINE.format(1) * 3 + LINE.format(ODD) * 2 + "INSERT INTO log DEFAULT VALUES;"
    "INSERT INTO log DEFAULT VALUES;",
    "one of several equal rows": "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log WHERE value = 1);"
    "DELETE FROM log WHERE ctid = (SELECT max(ctid) FROM log WHERE level IS NULL);"
    "UPDATE log SET level = 'warn' WHERE ctid = (SELECT min(ctid) FROM log WHERE value = " + ODD + ");",
    "all of them": "UPDATE log SET value = 2; DELETE FROM log WHERE level IS NULL;",
    "a deferrable key that moves every row": "INSERT INTO later SELECT i, 'n' || i FROM generate_series(1, 20) i;"
    "UPDATE later SET id = id + 1; UPDATE later SET id = 25 - id WHERE id > 3;",
    "a key with a generated column": "INSERT INTO derived VALUES (1, 1), (1, 2), (2, 1); INSERT INTO keyed VALUES (1);"
    "UPDATE derived SET b = b + 10 WHERE b = 1; DELETE FROM derived WHERE b = 2; INSERT INTO derived VALUES (1, 1);",
    "long values": "INSERT INTO doc SELECT i, 0, repeat('x' || i, 3000) FROM generate_series(1, 20) i;"
    "UPDATE doc SET n = n + 1; UPDATE doc SET id = id + 100 WHERE id < 5;",
    "long values unchanged": "UPDATE doc SET n = n + 1; DELETE FROM doc WHERE id % 4 = 0;"
    "UPDATE doc SET body = NULL WHERE id = 7;",
    "by the key": "INSERT INTO turning SELECT i, 'a' FROM generate_series(1, 5) i; UPDATE turning SET name = 'b';",
    "without the key": "ALTER TABLE turning DROP CONSTRAINT turning_key, ALTER id DROP NOT NULL;"
    "INSERT INTO turning VALUES (1, 'b'), (1, 'b'), (NULL, NULL);"
    "DELETE FROM turning WHERE ctid = (SELECT min(ctid) FROM turning WHERE id = 1);",
    "with another one": "DELETE FROM turning WHERE id IS NULL OR id = 1; ALTER TABLE turning ADD PRIMARY KEY (id);"
    "UPDATE turning SET id = id + 10;",
    # A target that compares each row with each does not come to an end.
    "many rows": "INSERT INTO log SELECT '2026-01-01', 'n' || g, g FROM generate_series(1, 60000) g;",
    "many of many": "DELETE FROM log WHERE value::int % 2 = 0 AND level LIKE 'n%';",
    "emptied": "TRUNCATE log, turning; INSERT INTO turning VALUES (1, 'z');" + LINE.format(9),
}


def kinds_of_changes(daemon, table):
    """(replaced, deleted) rows of all loads."""
    with daemon.target.open() as file:
        rows = file.query("SELECT sum(replaces), sum(deletes) FROM re_dms.loads WHERE source_table = "
                         f"'{table}'")
    return [int(value or 0) for value in rows[0]]


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        for name, statements in STEPS.items():
            server.psql("BEGIN;" + statements + "COMMIT;" if name != "emptied" else statements)
            daemon.catch_up()
            daemon.compare()
            print("equal:", name)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        server.psql("UPDATE doc SET n = n + 1; UPDATE turning SET name = 'after'; " + LINE.format(9))
        daemon.start().wait_ready()
        daemon.catch_up()
        server.psql("UPDATE doc SET n = n + 1; DELETE FROM turning; UPDATE later SET id = id + 1;")
        daemon.catch_up()
        daemon.compare()
        # By a key that is not sent whole no rows can be told apart.
        server.psql("ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (a, g); INSERT INTO keyed VALUES (2)")
        reasons = daemon.wait("keyed is set aside", lambda: {
            each["table"]: each["reason"] for each in daemon.said(NOT_LIVE) or []})
        expect("generated column" in reasons.get("public.keyed", ""), str(reasons))
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")
        replaces, _ = kinds_of_changes(daemon, "doc")
        expect(replaces > 0, "rows of a table with a primary key are replaced by it")
        replaces, deletes = kinds_of_changes(daemon, "later")
        expect(replaces == 0 and deletes > 0, "a deferrable key tells no rows apart")


main()
