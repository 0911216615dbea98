#!/usr/bin/python3
"""Goal: values of all types, the extreme ones too, arrive unchanged, also as keys."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import scenario  # noqa: E402

# type: values, as SQL text
KINDS = {
    "smallint": ["-32768", "32767"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "oid": ["4294967295"],
    "real": ["NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38", "0.1", "16777216", "1e15"],
    "double precision": ["NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e308", "0.1",
                         "1e15", "123456789012345680"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0.00000000000000000001", "1.500", "1e400"],
    "numeric(38,10)": ["-9999999999999999999999999999.9999999999", "0.0000000001"],
    "numeric(12,2)": ["-9999999999.99", "0.001"],
    "numeric(3,-2)": ["12345"],
    "numeric(60,30)": ["-999999999999999999999999999999.999999999999999999999999999999"],
    "money": ["-92233720368547758.08", "1234.5"],
    "boolean": ["true", "false"],
    "text": ["", " ", "\\N", "NULL", "a\nb\r\nc", '"', "'", "\\", "é😀日本", "trailing ", "x" * 100000],
    "varchar(5)": ["", "ab   ", "é😀日本語"],
    "char(5)": ["", "ab", "é"],
    '"char"': ["a"],
    "name": ["some name"],
    "bytea": ["\\x", "\\x00ff5c0a0d22", "\\x" + "ab" * 30000],
    "date": ["infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC", "0001-01-01 BC", "10000-01-01",
             "5874897-12-31", "2024-02-29"],
    "time": ["00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1"],
    "time(0)": ["23:59:59.9"],
    "timetz": ["24:00:00-15:59", "12:00:00+05:30", "00:00:00.000001+15:59"],
    "timestamp": ["infinity", "-infinity", "4713-01-01 00:00:00 BC", "0001-12-31 23:59:59.999999 BC",
                  "10000-01-01 00:00:00.1", "1969-12-31 23:59:59.999999", "290000-01-01 00:00:00"],
    "timestamptz": ["infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "2024-06-30 18:30:00.5+00",
                    "10000-01-01 00:00:00.1-07"],
    "interval": ["0", "1 year 2 mons -3 days 04:05:06.7", "-1 day 1 sec", "178000000 years",
                 "-00:00:00.000001"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-4FFF-8fff-ffffffffffff"],
    "json": ['{"a":  "\\u0000",\n"b":1.0, "b": null}', "null", '""', "[]"],
    "jsonb": ['{"b": 1.50, "a": 2, "a": 1e30}', "null", '"x"'],
    "xml": ["<a>é</a>"],
    "bit(3)": ["101"],
    "varbit": ["", "1011"],
    "inet": ["10.0.0.1", "10.0.0.1/8", "::ffff:1.2.3.4"],
    "cidr": ["10.1.2.3/32"],
    "macaddr": ["08:00:2b:01:02:03"],
    "point": ["(1,2.5)", "(NaN,Infinity)"],
    "box": ["(0,0),(1,1)"],
    "circle": ["<(0,0),1.5>"],
    "tsvector": ["'it''s':7 fat:2B,4C"],
    "pg_lsn": ["16/B374D848"],
    "int4range": ["[1,6)", "empty", "(,)"],
    "tsrange": ['["2024-01-01 00:00:00","2024-01-02 00:00:00")'],
    "int4multirange": ["{[1,3),[5,9)}", "{}"],
    "int[]": ["{1,NULL,3}", "{}", "{{1,2},{3,4}}", "[2:3]={7,8}"],
    "text[]": ['{"a b","NULL",NULL,"","c\\"d","e\\\\f","g,h","{i}",é,"x\ny"," lead"}'],
    "box[]": ["{(1,1),(0,0);(3,3),(2,2)}"],
    "bytea[]": ['{"\\\\x00ff"}'],
    "mood": ["sad", "very happy", "it's"],
    "mood[]": ['{sad,"very happy"}'],
    "positive": ["7"],
    "pair": ['(1,"a ""q"" \\\\ b, c")', "(,)"],
}
TYPES = """
CREATE TYPE public.mood AS ENUM ('sad', 'very happy', 'it''s');
CREATE DOMAIN public.positive AS int CHECK (value > 0);
CREATE TYPE public.pair AS (a int, b text);"""
# Text, so that no operator class is missing; the rest of the kinds stand for themselves as keys.
KEYS = ["bigint", "numeric(12,2)", "text", "char(5)", "bytea", "date", "timestamptz", "uuid", "mood",
        "boolean", "positive", "inet", "int[]", "timetz"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else (
        "E'" + text.replace("'", "''").replace("\\", "\\\\") + "'")


def main():
    columns = [f"c{number} {kind}" for number, kind in enumerate(KINDS)]
    sql = TYPES + f"CREATE TABLE public.kinds (id serial PRIMARY KEY, {', '.join(columns)});"
    sql += "".join(f"CREATE TABLE public.key{number} (id {kind} PRIMARY KEY, n int);"
                   for number, kind in enumerate(KEYS))
    with scenario(sql) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("BEGIN;" + "".join(
            f"INSERT INTO kinds (c{number}) VALUES ({quoted(value)}::{kind});"
            for number, (kind, values) in enumerate(KINDS.items()) for value in values) + "COMMIT;")
        server.psql("".join(f"INSERT INTO key{number} VALUES ({quoted(value)}, 1);"
                            for number, kind in enumerate(KEYS)
                            for value in dict.fromkeys(v[:2000] for v in KINDS[kind])))
        daemon.catch_up()
        daemon.compare()
        first = [f"c{number} = {quoted(values[0])}" for number, values in enumerate(KINDS.values())]
        server.psql(f"UPDATE kinds SET {', '.join(first)} WHERE id % 2 = 0;")
        server.psql("".join(f"UPDATE key{number} SET n = 2; DELETE FROM key{number} WHERE id ="
                            f" {quoted(KINDS[kind][0])};" for number, kind in enumerate(KEYS)))
        daemon.catch_up()
        counts = daemon.compare()
    print(f"equal: {sum(counts.values())} rows in {len(counts)} tables")


main()
