#!/usr/bin/python3
"""Goal: hstore, composites and what is made of them become SUPER where that is wanted, the same from a copy and from the
stream, as PostgreSQL makes JSON of them; when a type is altered, the table is copied anew."""

import json
import sys
from decimal import Decimal
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

LONG = "repeat(md5(g::text), 100)"
TABLES = rf"""
CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext;
CREATE TYPE place AS (street text, gone int, "no" int, since date);
ALTER TYPE place DROP ATTRIBUTE gone;
CREATE DOMAIN there AS place;
CREATE DOMAIN counts AS int[];
CREATE TYPE item AS (name text, price numeric(10,2), good boolean, tags text[], more jsonb, attrs ext.hstore, "at ""x"" y" there,
                     n counts, f float8, day date);
CREATE TABLE orders (id int PRIMARY KEY, h ext.hstore, hs ext.hstore[], c item, cs item[], n counts[], body ext.hstore,
                     plain place, plain_h ext.hstore);
ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
INSERT INTO orders
SELECT g, ext.hstore(ARRAY['k', 'e"\', 'n', ''], ARRAY['v ' || g, E'a"b\\c\n\x01', NULL, 'NULL, "=>"']),
  ARRAY[ext.hstore('a', NULL), NULL, ''::ext.hstore, ext.hstore('x', 'y "z" \')],
  ROW('it''s "' || g || '" \ (a, b)', g + 0.5, g % 2 = 0, ARRAY['x', NULL, 'say "' || g || '"', ''],
      jsonb_build_object('a "b" \', g, 'l', ARRAY[1, NULL]), ext.hstore('q"\', 'w'), ROW('St. "' || g || '"', g, '2026-01-01'),
      ARRAY[[1, g], [NULL, 4]], 1e300 * g, '2026-02-03')::item,
  ARRAY[ROW('', NULL, NULL, NULL, 'null', NULL, NULL, NULL, NULL, NULL)::item, NULL,
        ROW('\', 1, true, '{{}}', '"s"', 'a=>"b c"', ROW(NULL, NULL, NULL), '{{1}}', 0.1, '0044-03-15 BC')::item],
  ARRAY['{{1,2}}', '{{}}', NULL]::counts[], ext.hstore('long', {LONG}), ROW('x y', g, NULL)::place, 'a=>1'
  FROM generate_series(1, 40) g;
INSERT INTO orders (id) VALUES (41);
INSERT INTO orders (id, h, hs, cs, n, c) VALUES (42, '', '{{}}', '{{}}', '{{}}', ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
CREATE TABLE later (id int PRIMARY KEY, c place, h ext.hstore);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE pairs (id int PRIMARY KEY, p pair, l pair[]);
INSERT INTO pairs SELECT g, ROW(g, 'b' || g)::pair, ARRAY[ROW(g, NULL)::pair] FROM generate_series(1, 20) g;
CREATE TABLE texts (id int PRIMARY KEY, p pair); INSERT INTO texts VALUES (1, ROW(1, 'x'));
CREATE TABLE strict (id int PRIMARY KEY, p pair); INSERT INTO strict VALUES (1, ROW(1, 'x'));
CREATE TABLE no_super (id int PRIMARY KEY, v xml); INSERT INTO no_super VALUES (1, '<a/>');
"""
SUPER = {"orders": ["h", "hs", "c", "cs", "n", "body"], "later": ["c", "h"], "pairs": ["p", "l"], "strict": ["p"]}
SECTIONS = [{"match": f"public.{table}", "types": {column: "super" for column in columns},
             **({"bad_values": "error"} if table == "strict" else {})} for table, columns in SUPER.items()]
SECTIONS.append({"match": "public.no_super", "types": {"v": "super"}})


def parsed(text):
    """Numbers exactly."""
    return "NULL" if text is None else json.loads(text, parse_float=Decimal, parse_int=Decimal)


def compare(server, daemon, table):
    columns = SUPER[table]
    wanted = server.rows(f"SELECT id, {', '.join(f'coalesce(to_json({one})::text, $$~$$)' for one in columns)}"
                         f" FROM {table} ORDER BY id")
    found = daemon.target.query(f"SELECT id, {', '.join(columns)} FROM {table} ORDER BY id")
    wanted = [[row[0], *(parsed(None if one == "~" else one) for one in row[1:])] for row in wanted]
    found = [[str(row[0]), *(parsed(one) for one in row[1:])] for row in found]
    expect(found == wanted, f"{table}: {len(found)} rows, {[pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]}")


def is_same(server, daemon, table):
    """While a table may be copied, the daemon's target has the old rows."""
    try:
        compare(server, daemon, table)
    except AssertionError:
        return False
    return True


def reasons_of(daemon):
    return {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE) or []}


def settle(daemon):
    daemon.catch_up(set_aside=True)
    daemon.wait("none is on its way", lambda: daemon.said(COMING) == [])


def from_the_stream(server, daemon):
    """Every row once more: the target has the same texts of it."""
    server.psql("INSERT INTO orders SELECT id + 1000, h, hs, c, cs, n, body, plain, plain_h FROM orders")
    daemon.catch_up(set_aside=True)
    compare(server, daemon, "orders")
    columns = ", ".join([*SUPER["orders"], "plain", "plain_h"])
    copied, streamed = (daemon.target.query(f"SELECT {columns} FROM orders WHERE id {side} 1000 ORDER BY id")
                        for side in "<>")
    expect(copied == streamed, f"{[pair for pair in zip(copied, streamed) if pair[0] != pair[1]][:1]}")
    kept = daemon.target.query("SELECT plain, plain_h FROM orders WHERE id = 3")
    expect(kept == [['("x y",3,)', '"a"=>"1"']], f"what nobody wants as SUPER: {kept}")


def changes(server, daemon):
    """Of every kind, of keys that move, and rows whose long value is not in the stream."""
    server.psql("UPDATE orders SET h = h OPERATOR(ext.||) 'more=>\"1 2\"'::ext.hstore, c.price = 7 WHERE id % 3 = 0;"
                "UPDATE orders SET id = -id WHERE id % 5 = 0; DELETE FROM orders WHERE id % 11 = 0;"
                "UPDATE orders SET c = NULL, cs = cs || c WHERE id % 7 = 0;"
                "INSERT INTO later VALUES (1, ROW('a', 1, '2026-01-01'), 'a=>b')")
    daemon.catch_up(set_aside=True)
    server.psql("UPDATE later SET c.street = 'b', h = ''; INSERT INTO later (id) VALUES (2)")
    daemon.catch_up(set_aside=True)
    for table in ("orders", "later"):
        compare(server, daemon, table)


def odd_texts(server, daemon):
    """Of every sign that means something in one of the texts, one in the other: as PostgreSQL itself reads them."""
    signs = r"""E'"\\,(){} =>\n\t''NULLaé'"""
    texts = [f"(SELECT coalesce(string_agg(substr({signs}, 1 + (random() * 20)::int, 1), ''), '')"
             f" FROM generate_series(1, g % {most}))" for most in (2, 5, 9)]
    pairs = f"ext.hstore(ARRAY['k', 'l' || {texts[2]}], ARRAY[{texts[1]}, {texts[0]}])"
    server.psql(f"""SELECT setseed(0.5);
        INSERT INTO orders (id, h, hs, c, cs)
        SELECT g, h, ARRAY[h, NULL, h], c, ARRAY[c, NULL, c] FROM (SELECT g, {pairs} AS h,
          ROW({texts[0]}, g, NULL, ARRAY[{texts[1]}, {texts[2]}], to_jsonb({texts[2]}), {pairs},
              ROW({texts[1]}, g, NULL), '{{}}', NULL, NULL)::item AS c FROM generate_series(7000, 7299) g) AS made""")
    daemon.catch_up(set_aside=True)
    compare(server, daemon, "orders")
    server.psql("DELETE FROM orders WHERE id >= 7000")


def odd_values(server, daemon):
    """What SUPER would refuse or change is NULL, and counted."""
    odd = {"h": ("ext.hstore('k', repeat('x', 65536))", "string"),
           "c": ("ROW('x', 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::item", "number"),
           "cs": ("ARRAY[ROW(NULL, NULL, NULL, '[3:3]={a}', NULL, NULL, NULL, NULL, NULL, NULL)::item]", "numbering"),
           "hs": ("'[0:0]={a=>b}'::ext.hstore[]", "numbering"),
           "body": ("(SELECT ext.hstore(array_agg('k' || g), array_agg(repeat('x', 9))) FROM generate_series(1, 60000) g)",
                    "longer")}
    for number, (column, (value, _)) in enumerate(odd.items()):
        server.psql(f"INSERT INTO orders (id, {column}) VALUES ({5000 + number}, {value})")
    server.psql("INSERT INTO orders (id, c.more) VALUES (6000, '[1e400]')")
    daemon.catch_up(set_aside=True)
    rows = daemon.target.query(f"SELECT id FROM orders WHERE id >= 5000 AND {' AND '.join(f'{c} IS NULL' for c in odd)}")
    expect(len(rows) == len(odd) + 1, f"odd values are NULL: {rows}")
    found = {column: reason for column, reason in daemon.target.query(
        "SELECT source_column, reason FROM re_dms.adjusted_values WHERE source_table = 'orders' AND row_key < '6000'")}
    for column, (_, word) in odd.items():
        expect(word in found.get(column, ""), f"{column}: {found}")
    server.psql("DELETE FROM orders WHERE id >= 5000")
    daemon.catch_up(set_aside=True)


def altered(server, daemon, sql, *, table="pairs", words=""):
    """The table is copied anew, whether a row or the catalog tells first, and then has what the source has."""
    since = len(daemon.log_text())
    server.psql(sql)
    daemon.wait(f"{table} is copied anew", lambda: any(
        words in line and f"public.{table}" in line for line in daemon.log_text()[since:].splitlines()
        if '"table_waits"' in line))
    settle(daemon)
    daemon.wait(f"{table} is as in the source", lambda: is_same(server, daemon, table))
    return daemon.log_text()[since:]


def types_are_altered(server, daemon):
    # No row tells of it.
    said = altered(server, daemon, "ALTER TYPE pair ADD ATTRIBUTE c date", words="ALTER TYPE")
    expect("public.texts" not in said and "public.orders" not in said, "others are not copied")
    altered(server, daemon, "ALTER TYPE pair RENAME ATTRIBUTE b TO d; INSERT INTO pairs VALUES (100, ROW(1, 'x', NULL))")
    # As many as before.
    altered(server, daemon, "ALTER TYPE pair DROP ATTRIBUTE d, ADD ATTRIBUTE d int; UPDATE pairs SET p.d = 5 WHERE id < 4")
    altered(server, daemon, "ALTER TYPE pair DROP ATTRIBUTE a, ADD ATTRIBUTE a text; UPDATE pairs SET p.a = 'x' WHERE id < 4")
    # A part of a part.
    altered(server, daemon, "ALTER TYPE place ADD ATTRIBUTE country text; UPDATE orders SET c = c WHERE id = 1",
            table="orders")
    settle(daemon)
    for table in ("orders", "later", "pairs", "strict"):
        daemon.wait(table, lambda: is_same(server, daemon, table))
    server.psql("UPDATE pairs SET p.a = 'y', l = ARRAY[p]; INSERT INTO later VALUES (3, ROW('x', 1, NULL, 'y'), 'a=>b')")
    daemon.catch_up(set_aside=True)
    for table in ("pairs", "later"):
        compare(server, daemon, table)


def altered_meanwhile(server, daemon):
    """While nobody reads."""
    expect(daemon.stop() == 3, "SIGTERM ends it with 3")
    server.psql("UPDATE pairs SET p.a = 'z' WHERE id = 1; ALTER TYPE pair ADD ATTRIBUTE e int; UPDATE strict SET p.e = 1")
    daemon.environment["RE_DMS_CATALOG_MS"] = "600000"
    daemon.start().wait_ready()
    for table in ("pairs", "strict"):
        daemon.wait(table, lambda: is_same(server, daemon, table))
    settle(daemon)


def rows_tell_first(server, daemon):
    """Sooner than the catalog is asked again, and whatever bad_values says. It is asked at a start, with a table's first
    row, and when a table joins."""
    expect(daemon.stop() == 3, "SIGTERM ends it with 3")
    daemon.start().wait_ready()
    server.psql("UPDATE strict SET p.e = 2")
    daemon.catch_up(set_aside=True)
    altered(server, daemon, "ALTER TYPE pair ADD ATTRIBUTE f int; UPDATE strict SET p.f = 3", table="strict",
            words="a type was altered")
    daemon.wait("pairs are as in the source", lambda: is_same(server, daemon, "pairs"))
    expect(set(reasons_of(daemon)) == {"public.no_super"}, f"{reasons_of(daemon)}")


def main():
    with scenario(TABLES, options={"table": SECTIONS}, target=RedshiftTarget()) as (server, daemon):
        daemon.environment["RE_DMS_CATALOG_MS"] = "300"
        daemon.start().wait_ready()
        settle(daemon)
        code, printed, _ = daemon.run("check")
        for words in ('"h" (ext.hstore) becomes super: an object of texts', '"cs" (public.item[]) becomes super: an array',
                      '"c" (public.item) becomes super: an object of its attributes', "public.no_super: types of [[table]] names"):
            expect(words in printed, f"check ends with {code} and lacks {words}: {printed}")
        expect("hstore, arrays and composites do" in reasons_of(daemon).get("public.no_super", ""), f"{reasons_of(daemon)}")
        expect(set(reasons_of(daemon)) == {"public.no_super"}, f"{reasons_of(daemon)}")
        expect(not any("public.later" in line for line in daemon.log_text().splitlines() if '"table_waits"' in line),
               "a table without rows begins live")
        for table in SUPER:
            compare(server, daemon, table)
        from_the_stream(server, daemon)
        changes(server, daemon)
        odd_texts(server, daemon)
        odd_values(server, daemon)
        types_are_altered(server, daemon)
        altered_meanwhile(server, daemon)
        rows_tell_first(server, daemon)
        expect(daemon.stop() == 3, "SIGTERM ends it with 3")


main()
