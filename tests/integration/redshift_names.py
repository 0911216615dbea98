#!/usr/bin/python3
"""Goal: names that Redshift reserves are kept, and a table whose names it cannot tell apart or refuses waits for a person
with a reason, while the others go on."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE  # noqa: E402
from names import RESERVED  # noqa: E402  (of the stand-in)
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

LONGEST = "é" * 31 + "x"  # 63 bytes
KEPT = {
    "reserved": ", ".join(f'"{word.lower()}" int' for word in sorted(RESERVED - {"OID"})),
    LONGEST: f'"{LONGEST}" int, "Größe" int, "SELECT" int',
    "dollar$": "\"it's\" int, \"back\\slash\" int, \"quo\"\"te\" int, \"per%cent {}\" int",
    # Not the letters that Redshift turns into small ones.
    "ÄPFEL": '"Ä" int, "ä" int',
    "Mixed": '"CamelCase" int',
    # As short aliases are called.
    "s": "t int, e int", "e": "s int", "t": "g int",
}
# Without a key.
FULL = ["s", "e"]
# And words of the reason.
REFUSED = {
    "alike": ('"A" int, a int', ['"A" and "a"', "case of letters"]),
    "system": ("oid int", ["system column"]),
    "mixed": ("n int", ["mixed", "Mixed"]),
    # With the key, and what staged rows have beside them, one more than a table may have.
    "wider": (", ".join(f"c{number} int" for number in range(1597)), ["has 1598 columns", "takes 3 more"]),
}


def create(name, columns):
    return f'CREATE TABLE public."{name}" (id int PRIMARY KEY, {columns});'


# A column comes whose name differs from another's in the case of letters only.
GROWING = ("adopted", "made")
FULL_WIDTH = ", ".join(f"c{number} int" for number in range(1596))


def columns_come(server, daemon):
    """What stands in the other column stays."""
    server.psql("".join(f'ALTER TABLE {name} ADD COLUMN "Note" text; UPDATE {name} SET "Note" = \'new\', note = note;'
                        for name in GROWING))
    daemon.catch_up(set_aside=True)
    daemon.wait("set aside", lambda: len(daemon.said(NOT_LIVE) or []) == len(REFUSED) + len(GROWING))
    reasons = {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE)}
    for name in GROWING:
        expect('"note" and "Note"' in reasons[f"public.{name}"], f"{name}: {reasons}")
        found = daemon.target.query(f"SELECT id, note FROM public.{name}")
        expect(found == [["1", "old"]], f"{name}: {found}")
    server.psql("UPDATE full_width SET id = 2; ALTER TABLE full_width ADD COLUMN more int; UPDATE full_width SET more = 1")
    daemon.catch_up(set_aside=True)
    reason = daemon.wait("set aside", lambda: next(
        (entry["reason"] for entry in daemon.said(NOT_LIVE) if entry["table"] == "public.full_width"), None))
    expect("has 1598 columns" in reason, reason)
    expect(len(daemon.target.columns("public", "full_width")) == 1597, "the table is as it was")


def main():
    sql = "".join(create(name, columns) for name, columns in KEPT.items())
    sql += "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, note text); INSERT INTO {name} VALUES (1, 'old');"
                   for name in GROWING)
    sql += f"CREATE TABLE full_width (id int PRIMARY KEY, {FULL_WIDTH}); INSERT INTO full_width (id) VALUES (1);"
    options = {"table": [{"match": "public.adopted", "initial_copy": "adopt"}]}
    with scenario(sql, options=options, target=RedshiftTarget()) as (server, daemon):
        daemon.target.execute("CREATE TABLE public.adopted (id integer, note varchar(65535))")
        server.psql("".join(create(name, columns) for name, (columns, _) in REFUSED.items()))
        server.psql("".join(f"ALTER TABLE {name} REPLICA IDENTITY FULL, DROP CONSTRAINT {name}_pkey;" for name in FULL))
        daemon.start().wait_ready()
        _, printed, said = daemon.run("check")
        expect(daemon.target.standin.password not in printed + said, "check shows the password")
        for number in range(1, 4):
            server.psql("".join(f'INSERT INTO "{name}" (id) VALUES ({number}); UPDATE "{name}" SET id = -id'
                                f" WHERE id = {number - 1};" for name in [*KEPT, *REFUSED]))
            daemon.catch_up(set_aside=True)
        daemon.wait("set aside", lambda: len(daemon.said(NOT_LIVE) or []) == len(REFUSED))
        reasons = {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE)}
        for name, (_, words) in REFUSED.items():
            reason = reasons.get(f"public.{name}", reasons.get(f'public."{name}"', "it is not"))
            print(f"{name}: {reason}", flush=True)
            missing = [word for word in words if word.lower() not in reason.lower()]
            expect(not missing, f"{name}: lacks {missing}: {reason}; {reasons}")
        print(daemon.compare([("public", name) for name in KEPT]))
        columns_come(server, daemon)
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")
        _, printed, said = daemon.run("teardown")
        expect("Redshift at" in printed and daemon.target.standin.password not in printed + said + daemon.log_text(),
               f"teardown shows the password: {printed}{said}")


main()
