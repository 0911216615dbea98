#!/usr/bin/python3
"""Goal: what a load into Redshift costs in statements and commits follows from the tables that changed and from how, not
from the number of rows, of subsets of unchanged columns, or of tables that there are."""

import re
import sys
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

KNOWN = 300
TABLES = """
CREATE TABLE public.filled (id int PRIMARY KEY, note text);
CREATE TABLE public.mixed (id int PRIMARY KEY, n int, a text, b text, c text, d text);
ALTER TABLE public.mixed ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL, ALTER c SET STORAGE EXTERNAL,
  ALTER d SET STORAGE EXTERNAL;
CREATE TABLE public.bag (a int, b text);
ALTER TABLE public.bag REPLICA IDENTITY FULL;
""" + f"""DO $$ BEGIN FOR i IN 1..{KNOWN} LOOP
  EXECUTE format('CREATE TABLE public.known%s (id int PRIMARY KEY, n int)', i);
END LOOP; END $$;"""
LONG = "repeat(md5(g::text || '{0}'), 100)"
# Of a batch, whatever is in it: two looks at the position, the fence and its transaction, the columns of its tables, the
# loads and the position.
ALWAYS = {"SELECT loaded": 1, "SELECT f.epoch": 1, "BEGIN": 1, "LOCK re_dms_internal.fence": 1,
          "SELECT table_schema": 1, "INSERT INTO re_dms_internal.loads": 1, "UPDATE re_dms_internal.position": 1,
          "COMMIT": 1}
# Where rows are merged.
STAGING = {"BEGIN": 1, "COMMIT": 1}
INSERTS = {"COPY": 1, "SELECT pg_last_copy_count": 1}
MIXED = {"CREATE TEMP TABLE re_dms_staged": 1, "COPY": 1, "SELECT pg_last_copy_count": 1, "DELETE FROM table": 1,
         "UPDATE table": 1, "INSERT INTO table": 1, "DROP TABLE re_dms_staged": 1}
# As many as MIXED, and three.
KEYLESS = {"CREATE TEMP TABLE re_dms_staged": 1, "COPY": 1, "SELECT pg_last_copy_count": 1,
           "CREATE TEMP TABLE re_dms_equals": 1, "SELECT count": 1, "DELETE FROM table": 1, "INSERT INTO table": 2,
           "DROP TABLE re_dms_equals": 1, "DROP TABLE re_dms_staged": 1}
COMPARISON = re.compile(r'SET |SELECT (column_name|")')


def kind(sql):
    """What a statement begins with, without names of tables and numbers."""
    sql = re.sub(r'"[^"]*"\."[^"]*"', "table", sql)
    return re.match(r"(COPY|(SELECT|CREATE TEMP TABLE|[A-Z]+( INTO| FROM| TABLE)?)( [a-z_.]*[a-z])?)", sql).group()


def total(*parts):
    counts = Counter()
    for part in parts:
        counts.update(part)
    return counts


class Story:
    def __init__(self, server, daemon):
        self.server, self.daemon, self.standin = server, daemon, daemon.target.standin

    def load(self, sql, tables):
        """The statements, by kind, of the batch that SQL makes: it is alone in it with the marker, whose row is
        what ends the wait."""
        seen = len(self.standin.statements())
        self.server.psql(f"BEGIN; {sql}; INSERT INTO marker DEFAULT VALUES; COMMIT;")
        self.daemon.catch_up()
        loads = [[]]
        for entry in self.standin.statements()[seen:]:
            if not COMPARISON.match(entry["sql"]):
                loads[-1].append(entry["sql"])
                if entry["sql"].startswith("UPDATE re_dms_internal.position SET loaded"):
                    loads.append([])
        # A load ends by COMMIT, behind its position.
        whole = []
        for number, load in enumerate(loads[:-1]):
            whole.append(load[1 if number else 0:] + loads[number + 1][:1])
        own = [load for load in whole if all(any(f'"{table}"' in sql for sql in load) for table in tables)]
        expect(len(own) == 1, f"one load has {tables}: {len(own)} of {len(whole)}")
        self.daemon.compare([("public", table) for table in tables])
        return own[0]

    def expect_load(self, name, sql, tables, *parts):
        """The marker's rows are inserts."""
        said = self.load(sql, tables)
        found, wanted = Counter(map(kind, said)), total(ALWAYS, INSERTS, *parts)
        expect(found == wanted, f"{name}: {dict(found - wanted)} too much, {dict(wanted - found)} too little:\n"
               + "\n".join(sql[:150] for sql in said))
        print(f"{name}: {sum(found.values())} statements, {found['COMMIT']} commits,"
              f" {sum(map(len, said))} bytes", flush=True)
        return sum(map(len, said))


def subsets(masks):
    """Each row changes another subset of the long columns; the others are not in the stream."""
    return ";".join(
        "UPDATE mixed SET " + ", ".join(["n = n + 1", *(f"{column} = 'short {mask}'" for bit, column in enumerate("abcd")
                                                        if mask >> bit & 1)]) + f" WHERE id = {mask}"
        for mask in masks)


def main():
    with scenario(TABLES, options={"batch.interval": "300ms"}, target=RedshiftTarget()) as (server, daemon):
        daemon.start().wait_ready().wait_live(KNOWN + 4)
        story = Story(server, daemon)
        # What is known of a table is written down with the first row that tells of it.
        known = ", ".join(f"known{number}" for number in range(1, KNOWN + 1))
        server.psql(f"INSERT INTO filled VALUES (0, ''); INSERT INTO mixed SELECT g, 0, {LONG.format('a')},"
                    f" {LONG.format('b')}, {LONG.format('c')}, {LONG.format('d')} FROM generate_series(-20, 100) g;"
                    " INSERT INTO bag SELECT g % 3, 'row' FROM generate_series(1, 90) g;"
                    + "".join(f"INSERT INTO {name} VALUES (1, 0);" for name in known.split(", ")))
        daemon.catch_up(120)

        insert = "INSERT INTO filled SELECT g, 'row' FROM generate_series({}, {}) g"
        story.expect_load("one insert", insert.format(1, 1), ["filled"], INSERTS)
        story.expect_load("5,000 inserts", insert.format(2, 5001), ["filled"], INSERTS)
        changes = "DELETE FROM mixed WHERE id = {0}; INSERT INTO mixed (id, n) VALUES ({0} + 1000, 0); {1}"
        story.expect_load("mixed changes, one subset", changes.format(-1, subsets([1])), ["mixed"], STAGING, MIXED)
        story.expect_load("mixed changes, 15 subsets", changes.format(-2, subsets(range(15))), ["mixed"], STAGING, MIXED)
        story.expect_load("rows without a key", "DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 1 LIMIT 5);"
                          " INSERT INTO bag SELECT 7, 'row' FROM generate_series(1, 9)", ["bag"], STAGING, KEYLESS)
        story.expect_load("all of them", changes.format(-3, subsets(range(15))) + ";" + insert.format(5002, 5010)
                          + "; DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 2 LIMIT 5);"
                          " INSERT INTO bag SELECT 8, 'row' FROM generate_series(1, 9)", ["mixed", "filled", "bag"],
                          STAGING, INSERTS, MIXED, KEYLESS)
        five = [f"known{number}" for number in range(1, 6)]
        bytes_of_five = story.expect_load(
            f"five of {KNOWN} tables", "; ".join(f"INSERT INTO {name} VALUES (2, 0)" for name in five), five,
            *[INSERTS] * 5)
        expect(bytes_of_five < 12000, f"{bytes_of_five} bytes of SQL for five tables")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
