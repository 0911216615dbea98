#!/usr/bin/python3
"""Goal: of a database of the encoding SQL_ASCII only the tables with a value or a name that is not UTF-8 are set
aside, each with its reason; check says before what to expect. The same for the type "char"."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import Daemon  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

DATABASE = "ascii"
TABLES = "".join(f"CREATE TABLE public.{name} (id int PRIMARY KEY, v text);"
                 for name in ("good", "latin", "renamed"))
FLAGS = 'CREATE TABLE public.flags (id int PRIMARY KEY, c "char");'


def reasons(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.status()["tables"]["not_live"]}


def of_a_database(server, daemon):
    daemon.configure({"source.url": server.url(database=DATABASE)})
    code, printed, said = daemon.run("check")
    expect(code == 0 and "SQL_ASCII" in printed and "set aside" in printed, f"check: {code}\n{printed}{said}")
    daemon.start().wait_ready()
    server.psql("""INSERT INTO good VALUES (1, convert_from('\\xc3a9', 'SQL_ASCII'));
                INSERT INTO latin VALUES (1, 'plain'); INSERT INTO renamed VALUES (1, 'plain');""", database=DATABASE)
    server.psql("INSERT INTO latin VALUES (2, convert_from('\\xe9', 'SQL_ASCII'));", database=DATABASE)
    server.psql("""DO $$ BEGIN EXECUTE format('ALTER TABLE renamed RENAME v TO %I', convert_from('\\xe9', 'SQL_ASCII'));
                END $$; INSERT INTO renamed VALUES (2, 'plain');""", database=DATABASE)
    lsn = server.lsn()
    server.psql("INSERT INTO good VALUES (2, 'more')", database=DATABASE)
    daemon.wait_beyond(lsn, set_aside=True)
    found = reasons(daemon)
    expect(set(found) == {"public.latin", "public.renamed"}, f"set aside: {found}")
    expect("column v" in found["public.latin"] and "SQL_ASCII" in found["public.latin"], f"reason: {found}")
    expect("\\xE9" in found["public.renamed"], f"reason: {found}")
    expect(daemon.stop() == 3, "SIGTERM ends it with 3: tables are set aside")
    with DuckdbFile(str(daemon.warehouse)) as duck:
        rows = duck.query("SELECT id, v FROM public.good ORDER BY id")
    expect([list(map(str, row)) for row in rows] == [["1", "é"], ["2", "more"]], f"rows: {rows}")


def of_a_type(server, daemon):
    """PostgreSQL 15 and newer print a byte that is no letter as \\351; 14 sends it as it is."""
    server.psql(FLAGS)
    daemon.start().wait_ready()
    server.psql("""INSERT INTO flags VALUES (1, 'a'); INSERT INTO flags VALUES (2, (-23)::int::"char");""")
    daemon.catch_up(set_aside=True)
    found = reasons(daemon)
    if int(server.value("SHOW server_version_num")) < 150000:
        expect('"char"' in found.get("public.flags", ""), f"set aside: {found}")
    else:
        expect(not found, f"set aside: {found}")
        daemon.compare()
    daemon.stop()


def main():
    with scenario() as (server, daemon):
        server.psql(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
        server.psql(TABLES, database=DATABASE)
        of_a_database(server, daemon)
        with Daemon(server, daemon.folder / "of_a_type", {"source.slot": "of_a_type",
                                                          "source.publication": "of_a_type"}) as other:
            of_a_type(server, other)


main()
