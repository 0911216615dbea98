#!/usr/bin/python3
"""Goal: tables in Redshift are laid out and their columns typed as [[table]] sections say, whether they are copied or
begin empty; what Redshift cannot have sets its table aside with the reason; another wish counts from the next copy on."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

LONG = "repeat(md5(g::text), 100)"
TABLES = f"""
CREATE TABLE orders (id int PRIMARY KEY, customer int, day date, payload jsonb, raw json, tags text[], counts int[],
                     note text, body text);
ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
INSERT INTO orders SELECT g, g % 7, date '2026-01-01' + g, jsonb_build_object('n', g), '{{"a" : 1}}',
  ARRAY['x', NULL, 'say "' || g || '"'], ARRAY[[g, 2], [3, NULL]], 'note ' || g, {LONG} FROM generate_series(1, 50) g;
CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small VALUES (1, 'one');
CREATE TABLE pair (a int, b int, v int, PRIMARY KEY (a, b)); INSERT INTO pair SELECT g, -g, 0 FROM generate_series(1, 9) g;
CREATE TABLE later (id int PRIMARY KEY, payload jsonb);
CREATE TABLE strict (id int PRIMARY KEY, raw json); INSERT INTO strict VALUES (1, '[1]');
CREATE TABLE no_column (id int PRIMARY KEY, v int); INSERT INTO no_column VALUES (1, 1);
CREATE TABLE no_key (id int PRIMARY KEY, v bytea); INSERT INTO no_key VALUES (1, '\\x00');
CREATE TABLE no_super (id int PRIMARY KEY, v int); INSERT INTO no_super VALUES (1, 1);
CREATE TABLE by_super (v jsonb PRIMARY KEY); INSERT INTO by_super VALUES ('1');
CREATE TABLE bag (id int, v jsonb); ALTER TABLE bag REPLICA IDENTITY FULL; INSERT INTO bag VALUES (1, '1');
"""
ORDERS = {"match": "public.orders", "distkey": "customer", "sortkey": ["day", "id"],
          "types": {"payload": "super", "raw": "super", "tags": "super", "counts": "super", "note": "varchar(12)"}}
SECTIONS = [
    ORDERS,
    {"match": "public.small", "diststyle": "all"},
    {"match": "public.pair", "distkey": "b", "sortkey": "v"},
    {"match": "public.later", "types": {"payload": "super"}},
    {"match": "public.strict", "bad_values": "error", "types": {"raw": "super"}},
    {"match": "public.no_column", "distkey": "custmer"},
    {"match": "public.no_key", "sortkey": ["v"]},
    {"match": "public.no_super", "types": {"v": "super"}},
    {"match": "public.by_super", "types": {"v": "super"}},
    {"match": "public.bag", "types": {"v": "super"}},
]
# And words of the reason.
REFUSED = {
    "public.no_column": ["distkey", '"custmer"', "does not have"],
    "public.no_key": ["sortkey", '"v"', "varbyte"],
    "public.no_super": ["types", '"v"', "does not become SUPER"],
    "public.by_super": ['"v" SUPER', "told apart"],
    "public.bag": ['"v" SUPER', "no key"],
}
LAYOUT = ("SELECT \"column\", type, distkey, sortkey FROM pg_table_def WHERE schemaname = 'public' AND tablename = '{}'"
          " ORDER BY \"column\"")
ODD = {
    """'{"a": 1, "a": 2}'""": "twice", "'[1e400]'": "number", """'["\\u0000"]'""": "character",
    "('[' || repeat('[', 1000) || repeat(']', 1001))::json": "deeper",
    "to_json(repeat('x', 65536))": "string", "to_json(array_fill('0123456789'::text, ARRAY[90000]))": "longer",
}


def layout(daemon, table):
    return {name: (kind, spread == "t", int(sort)) for name, kind, spread, sort
            in daemon.target.query(LAYOUT.format(table))}


def expect_layout(daemon, table, wanted):
    found = layout(daemon, table)
    wrong = {name: found.get(name) for name, one in wanted.items() if found.get(name) != one}
    expect(not wrong, f"{table}: {wrong}, wanted {wanted}")


def expect_orders(server, daemon):
    """Every value of a row that the source has, as JSON where it is SUPER."""
    as_json = "replace(coalesce({}::text, '~'), ' ', '')"
    wanted = server.rows(f"SELECT id, customer, {as_json.format('payload')}, {as_json.format('raw')},"
                         f" {as_json.format('to_json(tags)')}, {as_json.format('to_json(counts)')}, left(note, 12),"
                         " md5(body) FROM orders ORDER BY id")
    found = daemon.target.query("SELECT id, customer, payload, \"raw\", tags, counts, note, md5(body) FROM orders ORDER BY id")
    found = [[value if at in (0, 1, 6, 7) else (value or "~").replace(" ", "") for at, value in enumerate(row)]
             for row in found]
    wanted = [list(row) for row in wanted]
    expect(found == wanted, f"orders: {len(found)} rows, {[pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]}")


def changes(server, daemon):
    """Of every kind, of keys that move and rows whose long value is not in the stream."""
    seen = len(daemon.target.standin.statements())
    server.psql("UPDATE orders SET customer = customer + 1 WHERE id % 3 = 0; UPDATE orders SET id = -id WHERE id % 5 = 0;"
                """UPDATE orders SET payload = payload || '{"more": [1, {"b": null}]}', tags = '{}' WHERE id % 7 = 0;"""
                "DELETE FROM orders WHERE id % 11 = 0;"
                "INSERT INTO orders (id, customer, note) VALUES (1000, NULL, 'ééééééééé');"
                "UPDATE pair SET v = v + 1 WHERE a < 5; DELETE FROM pair WHERE a = 5; UPDATE pair SET b = 100 WHERE a = 6;"
                """INSERT INTO later VALUES (1, '{"k": "v"}'); UPDATE small SET v = 'two'""")
    daemon.catch_up(set_aside=True)
    server.psql("UPDATE later SET payload = '[]'")
    daemon.catch_up(set_aside=True)
    expect(daemon.target.query("SELECT note FROM orders WHERE id = 1000") == [["éééééé"]], "as many bytes as fit")
    server.psql("DELETE FROM orders WHERE id = 1000")
    daemon.catch_up(set_aside=True)
    expect_orders(server, daemon)
    expect(daemon.target.query("SELECT payload FROM later") == [["[]"]], "later")
    daemon.compare([("public", "pair"), ("public", "small")])
    staged = [entry["sql"] for entry in daemon.target.standin.statements()[seen:]
              if entry["sql"].startswith("CREATE TEMP TABLE re_dms_staged")]
    # By the part of the key that rows are spread by; anywhere where that is no part of the key.
    expect(any("k2 integer" in sql and sql.endswith("DISTKEY (k2)") for sql in staged), f"{staged}")
    expect(any("super" in sql and "c9" in sql and sql.endswith("DISTSTYLE EVEN") for sql in staged), f"{staged}")


def columns_come(server, daemon):
    """The others stay what they are, and no copy is needed."""
    since = len(daemon.log_text())
    server.psql("""ALTER TABLE orders ADD COLUMN extra int DEFAULT 5;
                   UPDATE orders SET payload = '{"x": 1}', tags = '{z}' WHERE id % 4 = 0""")
    daemon.catch_up(set_aside=True)
    expect_orders(server, daemon)
    expect(daemon.target.query("SELECT DISTINCT extra FROM orders") == [["5"]], "older rows have the new column's value")
    expect('"table_waits"' not in daemon.log_text()[since:], "a table is copied anew")


def odd_values(server, daemon):
    for number, value in enumerate(ODD):
        server.psql(f"INSERT INTO orders (id, raw) VALUES ({2000 + number}, {value})")
    server.psql("INSERT INTO orders (id, counts) VALUES (3000, '[5:6]={1,2}')")
    daemon.catch_up(set_aside=True)
    rows = daemon.target.query("SELECT id FROM orders WHERE id >= 2000 AND \"raw\" IS NULL AND counts IS NULL")
    expect(len(rows) == len(ODD) + 1, f"odd values are NULL: {rows}")
    reasons = [row[0] for row in daemon.target.query(
        "SELECT reason FROM re_dms.adjusted_values WHERE source_table = 'orders' ORDER BY row_key")]
    for words in [*ODD.values(), "numbering"]:
        expect(any(words in reason for reason in reasons), f"{words}: {reasons}")
    server.psql("""INSERT INTO strict VALUES (2, '{"a": 1, "a": 2}'); DELETE FROM orders WHERE id >= 2000""")
    daemon.catch_up(set_aside=True)
    daemon.wait("strict is set aside", lambda: "public.strict" in reasons_of(daemon))
    expect('"raw"' in reasons_of(daemon)["public.strict"] and "twice" in reasons_of(daemon)["public.strict"],
           f"{reasons_of(daemon)}")


def reasons_of(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []}


def resync(daemon, table):
    before = daemon.log_text().count('"copied"')
    code, _, said = daemon.run("resync", table)
    expect(code == 0, said)
    daemon.wait("copied", lambda: daemon.log_text().count('"copied"') > before)
    daemon.wait("none is on its way", lambda: daemon.said(COMING) == [])


def wishes_change(server, daemon):
    """They count from the next copy on, and until then everything stays what it is."""
    expect(daemon.stop() == 3, "SIGTERM ends it with 3")
    since = len(daemon.log_text())
    daemon.configure({"table": [{"match": "public.orders", "sortkey": "id", "types": {"raw": "super", "nots": "varchar(9)"}},
                                {"match": "public.no_super"}, *SECTIONS[1:]]})
    code, printed, _ = daemon.run("check")
    expect('table[1].types names "nots"' in printed, f"check ends with {code}: {printed}")
    daemon.start().wait_ready()
    daemon.wait("it says so", lambda: "types_differ" in daemon.log_text()[since:]
                and "column_unknown" in daemon.log_text()[since:])
    said = daemon.log_text()[since:]
    expect("payload, tags, counts, note" in said and "re_dms resync" in said and "public.orders" in said, said)
    server.psql("UPDATE orders SET payload = '[1, 2]', tags = '{y}' WHERE id % 2 = 0")
    daemon.catch_up(set_aside=True)
    expect_orders(server, daemon)
    resync(daemon, "public.orders")
    daemon.catch_up(set_aside=True)
    expect_layout(daemon, "orders", {
        "id": ("integer", True, 1), "payload": ("character varying(65535)", False, 0), "raw": ("super", False, 0),
        "tags": ("character varying(65535)", False, 0), "note": ("character varying(65535)", False, 0)})
    resync(daemon, "public.no_super")
    expect("public.no_super" not in reasons_of(daemon), f"{reasons_of(daemon)}")


def columns_go(server, daemon):
    """One that rows were sorted by: the table is copied anew, and then the section names it in vain."""
    server.psql("ALTER TABLE pair DROP COLUMN v; INSERT INTO pair VALUES (50, 50)")
    daemon.wait("it waits for a person", lambda: "public.pair" in reasons_of(daemon))
    expect('sortkey of [[table]] names the column "v"' in reasons_of(daemon)["public.pair"], f"{reasons_of(daemon)}")


def main():
    with scenario(TABLES, options={"table": SECTIONS}, target=RedshiftTarget()) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "300"
        daemon.start().wait_ready()
        daemon.wait("those that cannot be wait for a person", lambda: len(reasons_of(daemon)) == len(REFUSED))
        daemon.catch_up(set_aside=True)
        daemon.wait("none is on its way", lambda: daemon.said(COMING) == [])
        for table, words in REFUSED.items():
            missing = [word for word in words if word not in reasons_of(daemon)[table]]
            expect(not missing, f"{table}: lacks {missing}: {reasons_of(daemon)[table]}")
        expect_layout(daemon, "orders", {
            "id": ("integer", False, 2), "customer": ("integer", True, 0), "day": ("date", False, 1),
            "payload": ("super", False, 0), "tags": ("super", False, 0), "note": ("character varying(12)", False, 0),
            "body": ("character varying(65535)", False, 0)})
        expect_layout(daemon, "small", {"id": ("integer", False, 1)})
        expect_layout(daemon, "pair", {"a": ("integer", False, 0), "b": ("integer", True, 0), "v": ("integer", False, 1)})
        expect_orders(server, daemon)
        changes(server, daemon)
        expect_layout(daemon, "later", {"payload": ("super", False, 0), "id": ("integer", True, 1)})
        columns_come(server, daemon)
        odd_values(server, daemon)
        wishes_change(server, daemon)
        columns_go(server, daemon)
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")


main()
