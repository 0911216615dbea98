#!/usr/bin/python3
"""Goal: tables that somebody changed in the target are copied anew, those whose values it cannot hold are set aside; the
others go on."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# What is done to the table's target, and words of the reason.
SHAPES = {
    "retyped": ("ALTER TABLE {0} ALTER a TYPE int USING 1", ['column "a"', "INTEGER, not VARCHAR"]),
    "column_gone": ("ALTER TABLE {0} DROP n", ['column "n" is missing']),
    "renamed": ("ALTER TABLE {0} RENAME a TO b", ['"b" where "a" belongs']),
    "gone": ("DROP TABLE {0}", ["no longer in the target"]),
}
ROWS = {
    "row_gone": ("DELETE FROM {0} WHERE id = 1", ["found 0 rows where 1 were staged"]),
    "row_moved": ("UPDATE {0} SET id = 9 WHERE id = 1", ["found 0 rows where 1 were staged"]),
    "row_twice": ("INSERT INTO {0} SELECT * FROM {0} WHERE id = 1", ["found 2 rows where 1"]),
    "column_more": ("ALTER TABLE {0} ADD z int", ['column "z" that the source does not have']),
}
VALUES = {
    "not_a_number": ("UPDATE {0} SET n = 'NaN'", ['column "n" (numeric(10,2))', "not a number"]),
    "far_away": ("UPDATE {0} SET at = '294276-12-31'", ['column "at" (timestamp', "after the last date"]),
}
OPTIONS = {"table": [{"match": f"public.{name}", "bad_values": "error"} for name in VALUES]}
GOOD = "public.good"


def tables(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []}


def expect_reasons(daemon, before, cases):
    said = daemon.log_text()[before:]
    for name, (_, words) in cases.items():
        reason = tables(daemon)[f"public.{name}"]
        missing = [word for word in words if word not in reason]
        expect(not missing, f"{name}: lacks {missing}: {reason}")
        lines = [line for line in said.splitlines() if "table_set_aside" in line and f"public.{name}" in line]
        expect(len(lines) == 1 and "the others continue" in lines[0], f"{name}: one line of the log: {lines}")


def expect_copied(daemon, before, cases):
    for name, (_, words) in cases.items():
        reason = daemon.wait_copied_anew(f"public.{name}", words[0], since=before)
        missing = [word for word in words if word not in reason]
        expect(not missing, f"{name}: lacks {missing}: {reason}")
    daemon.compare([("public", name) for name in cases])


def change(daemon, cases):
    with DuckdbFile(str(daemon.warehouse), writable=True) as duck:
        for name, (sql, _) in cases.items():
            duck.execute(sql.format(f"public.{name}"))


def good_goes_on(server, daemon):
    server.psql(f"INSERT INTO {GOOD} (a) VALUES ('more')")
    server.psql(f"UPDATE {GOOD} SET a = a || '!'")
    daemon.catch_up(set_aside=True)
    daemon.compare([tuple(GOOD.split("."))])


def main():
    everything = {**SHAPES, **ROWS, **VALUES}
    names = [GOOD] + [f"public.{name}" for name in everything]
    with scenario("".join(f"CREATE TABLE {name} (id serial PRIMARY KEY, a text, at timestamp,"
                          " n numeric(10, 2));" for name in names), options=OPTIONS) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("".join(f"INSERT INTO {name} (a) VALUES ('one'), ('two');" for name in names))
        daemon.catch_up()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")

        change(daemon, SHAPES)
        daemon.start().wait_ready()
        good_goes_on(server, daemon)
        daemon.wait_live(len(names) + 1)
        daemon.compare()

        change(daemon, ROWS)
        before = len(daemon.log_text())
        server.psql("".join(f"UPDATE public.{name} SET a = 'new' WHERE id = 1;" for name in {**SHAPES, **ROWS})
                    + "".join(sql.format(f"public.{name}") + ";" for name, (sql, _) in VALUES.items()))
        good_goes_on(server, daemon)
        daemon.wait("set aside", lambda: len(tables(daemon)) == len(VALUES))
        expect_reasons(daemon, before, VALUES)
        expect_copied(daemon, before, ROWS)
        # What comes later is followed too.
        server.psql("".join(f"UPDATE public.{name} SET a = 'later' WHERE id = 2; INSERT INTO public.{name} (a)"
                            " VALUES ('more');" for name in {**SHAPES, **ROWS}))
        daemon.catch_up(set_aside=True)
        daemon.compare([("public", name) for name in {**SHAPES, **ROWS}])
        shown = daemon.get("/metrics")[1]
        expect(f"re_dms_tables_copied_anew_total {len(ROWS)}" in shown, "they are counted")
        causes = dict(re.findall(r'^re_dms_heals_total{cause="(.+)"} (\d+)$', shown, re.M))
        expect(causes == {"rows": "3", "target": "1", "schema": "0", "publication": "0", "other": "0"},
               f"by their cause: {causes}")
        code, printed, _ = daemon.run("status")
        expect(code == 3 and "2 set aside" in printed, f"status ends with {code}:\n{printed}")
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")

        before = len(daemon.log_text())
        daemon.start().wait_ready()
        good_goes_on(server, daemon)
        expect_reasons(daemon, before, VALUES)
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")
        code, *_ = daemon.run("run", "--until", "now")
        expect(code == 3, f"run --until ends with {code}, not with 3")


main()
