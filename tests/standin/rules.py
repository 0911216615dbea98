#!/usr/bin/python3
"""What the stand-in holds to, one entry a rule: the only list of them. `Refused` and the log name rules by
their numbers, tests by @rule(number), and docs/redshift_standin.md is made from this:

    rules.py          prints it
    rules.py --check  fails if the file differs
"""

import sys
from collections import namedtuple
from pathlib import Path

REFUSES, IMITATES = "refuses", "imitates"
# Where it is known from: AWS's pages; answers of real clusters that others reported, with the thread; neither.
DOCUMENTED, PROVEN, ASSUMED = "documented", "proven", "assumed"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "redshift_standin.md"

Rule = namedtuple("Rule", "number kind status text source limits", defaults=("",))

RULES = [
    # Connection.
    Rule(1, REFUSES, PROVEN,
         "Start-up parameters it does not know (42704), extra_float_digits above 2 (22023), another database",
         "launchbadge/sqlx#956; LibPQ.jl#71"),
    Rule(2, IMITATES, PROVEN,
         "server_version 8.0.2, client_encoding UNICODE, no standard_conforming_strings, text of version()",
         "sqlalchemy#9494; psycopg#122; Redshift ODBC driver"),
    Rule(3, IMITATES, PROVEN,
         "md5 authentication, never SCRAM; authentication 13 on demand; hangs up on GSSENCRequest",
         "Redshift ODBC driver, pqcomm.h; psycopg2#1745"),
    Rule(4, REFUSES, PROVEN,
         "COPY FROM STDIN and TO STDOUT",
         "Redshift JDBC 2.2.0 and ODBC 2.1.10 change logs"),
    Rule(5, REFUSES, PROVEN,
         "LISTEN, UNLISTEN, NOTIFY, DISCARD, DEALLOCATE ALL, SAVEPOINT, RELEASE, ROLLBACK TO",
         "npgsql#853; alembic_utils#124"),
    Rule(6, REFUSES, PROVEN,
         "Several commands in one Parse (42601); more than 32767 parameters (42P02)",
         "Redshift Python driver#46, #165"),
    Rule(7, REFUSES, DOCUMENTED,
         "Statements above 16 MB; connections above the limit (53300)",
         "Redshift developer guide, Redshift SQL; management guide, Quotas and limits"),
    Rule(8, IMITATES, PROVEN,
         "Backslashes are escapes in ordinary literals and plain text in COPY's options; E'…' refused",
         "dlt escape.py; sqlalchemy-redshift PR#21; of E'…': assumed"),
    Rule(9, IMITATES, PROVEN,
         "Failures on request: 1023, 40P01, 57014, 53200, 1020, Disk Full, resize, connections cut at any statement",
         "snowplow-rdb-loader#557; estuary/connectors PR#5218; SQLSTATEs of some: assumed"),
    Rule(10, IMITATES, DOCUMENTED,
         "A COPY outside a transaction goes on and commits when its client is gone; one inside is rolled back",
         "Redshift developer guide, Loading multiple files"),
    Rule(11, IMITATES, DOCUMENTED,
         "Idle sessions and idle transactions are ended; expired credentials (28000)",
         "Redshift management guide, Quotas and limits; of 28000: estuary/connectors"),
    # COPY: where from.
    Rule(12, REFUSES, DOCUMENTED,
         "No or two kinds of credentials, malformed CREDENTIALS or role ARN, a role that may not be assumed",
         "Redshift developer guide, Authorization parameters; S3ServiceException errors"),
    Rule(13, IMITATES, DOCUMENTED,
         "A path is a prefix of keys; with MANIFEST it is one object, UTF-8 JSON and not compressed",
         "Redshift developer guide, COPY from Amazon S3; Load error reference"),
    Rule(14, IMITATES, DOCUMENTED,
         "mandatory is false by default; a missing mandatory file, or no file at all, fails; twice loads twice",
         "Redshift developer guide, Using a manifest to specify data files"),
    Rule(15, REFUSES, DOCUMENTED,
         "REGION absent or other than the bucket's when that is not the cluster's",
         "Redshift developer guide, COPY from Amazon S3"),
    Rule(16, REFUSES, DOCUMENTED,
         "Options that exclude each other: CSV and ESCAPE, QUOTE without CSV, JSON and NULL AS, MAXERROR and"
         " IGNOREALLERRORS, two compressions, NULL AS '\\n', …; quotes inside fields",
         "Redshift developer guide, Data format parameters; aws-lambda-redshift-loader#51",
         "loads CSV from GZIP, ZSTD or plain files only"),
    # COPY: values.
    Rule(17, IMITATES, DOCUMENTED,
         "NULL marker \\N by default; empty is NULL but for VARCHAR; EMPTYASNULL nulls \"\" too; a marker in quotes"
         " is NULL; an empty SUPER field is refused; digits checked (1207, 1208, 1210)",
         "Redshift developer guide, Data conversion parameters; airbyte#82729; of quoted markers: assumed",
         "--quoted-marker-stays"),
    Rule(18, REFUSES, DOCUMENTED,
         "More fields than columns (1202) or fewer (1203), but for FILLRECORD; empty lines",
         "Redshift developer guide, Load error reference"),
    Rule(19, REFUSES, DOCUMENTED,
         "Texts longer than the column in bytes (1204) unless only blanks are cut or TRUNCATECOLUMNS; integers out"
         " of range",
         "Redshift developer guide, Character types"),
    Rule(20, REFUSES, DOCUMENTED,
         "Invalid UTF-8 and surrogates (1220), any non-ASCII in CHAR; ACCEPTINVCHARS replaces byte by byte",
         "Redshift developer guide, Multibyte character load errors"),
    Rule(21, REFUSES, PROVEN,
         "The byte 0 (1218), also in a literal",
         "estuary/connectors#839"),
    Rule(22, REFUSES, DOCUMENTED,
         "Rows above 4 MB (1216); files that are not what GZIP or ZSTD says",
         "Redshift developer guide, COPY; Load error reference"),
    Rule(23, REFUSES, PROVEN,
         "More than six digits of a second; T and time zones without TIMEFORMAT 'auto' (1205, 1206)",
         "estuary/connectors; bluelabsio/records-mover",
         "years after 9999 are refused too: assumed"),
    Rule(24, REFUSES, ASSUMED,
         "infinity, NaN and years BC",
         "no source; the worst case",
         "--allow-endless"),
    Rule(25, IMITATES, DOCUMENTED,
         "COPY cuts decimals, or rounds them with ROUNDEC; INSERT rounds",
         "Redshift developer guide, Data conversion parameters"),
    Rule(26, REFUSES, DOCUMENTED,
         "NULL for NOT NULL (1213), but takes the column's default where there is one",
         "Redshift developer guide, ALTER TABLE; Load error reference"),
    Rule(27, REFUSES, DOCUMENTED,
         "An IDENTITY column without EXPLICIT_IDS",
         "Redshift developer guide, Data conversion parameters"),
    Rule(28, REFUSES, DOCUMENTED,
         "SUPER (1224): no JSON, a key twice, deeper than 1000, texts above 65535 bytes, more than 1 MB in CSV;"
         " reading one above 65535 bytes as a text (8001). A number that is no decimal of 38 digits becomes the nearest"
         " double",
         "Redshift developer guide, Limitations of SUPER; artie-labs/transfer#1760; of numbers: assumed",
         "--super-csv-bytes, --super-text-bytes"),
    Rule(29, REFUSES, DOCUMENTED,
         "VARBYTE that is no pairs of hexadecimal digits; a leading \\x",
         "Redshift developer guide, VARBYTE type"),
    Rule(30, IMITATES, PROVEN,
         "One XX000 message for all bad rows; the row is in stl_load_errors or sys_load_error_detail, padded, to be"
         " read after ROLLBACK",
         "jitsucom/bulker; estuary/connectors"),
    Rule(31, IMITATES, DOCUMENTED,
         "COPY's tag has no count; INFO notice; pg_last_copy_count(), pg_last_copy_id(), pg_last_query_id()",
         "Redshift developer guide, PG_LAST_COPY_COUNT; Redshift Python driver"),
    Rule(32, IMITATES, DOCUMENTED,
         "MAXERROR drops bad rows silently, so that a test shows who sets it",
         "Redshift developer guide, Data load operations"),
    Rule(33, REFUSES, DOCUMENTED,
         "COPY without INSERT privilege; STATUPDATE by another than the owner (42501)",
         "Redshift developer guide, COPY; Data load operations"),
    # Types and names.
    Rule(34, REFUSES, DOCUMENTED,
         "Types that Redshift lacks: arrays, bit, bytea, json, uuid, serial, money, xml, …; INTERVAL without fields",
         "Redshift developer guide, Unsupported PostgreSQL data types; INTERVAL types"),
    Rule(35, IMITATES, DOCUMENTED,
         "TEXT is VARCHAR(256), VARCHAR is VARCHAR(256), NUMERIC is (18,0); DECIMAL(19,s) holds 64 bits; p > 38 or s"
         " > 37 refused",
         "Redshift developer guide, Numeric types; Character types"),
    Rule(36, REFUSES, DOCUMENTED,
         "VARCHAR above 65535, CHAR above 4096",
         "Redshift developer guide, Character types"),
    Rule(37, IMITATES, DOCUMENTED,
         "Trailing blanks do not count in comparisons, joins, DISTINCT; lengths are bytes",
         "Redshift developer guide, Character types"),
    Rule(38, IMITATES, DOCUMENTED,
         "Names are lower-cased even in quotes; names that differ by case collide",
         "Redshift developer guide, Names and identifiers; enable_case_sensitive_identifier",
         "enable_case_sensitive_identifier cannot be switched on"),
    Rule(39, IMITATES, PROVEN,
         "Names are cut at 127 bytes without a word; names of system columns refused",
         "estuary/connectors; Redshift developer guide, Names and identifiers"),
    Rule(40, REFUSES, DOCUMENTED,
         "Reserved words as names without quotes",
         "Redshift developer guide, Reserved words"),
    Rule(41, REFUSES, PROVEN,
         "The 1601st column; SUPER, VARBYTE, GEOMETRY as distribution or sort key; keys that do not exist",
         "rudder-server; Redshift developer guide, CREATE TABLE"),
    Rule(42, REFUSES, DOCUMENTED,
         "CREATE INDEX, SEQUENCE, TRIGGER, DOMAIN, TYPE; CHECK, PARTITION BY, INHERITS, UNLOGGED; unqualified names"
         " in a view WITH NO SCHEMA BINDING",
         "Redshift developer guide, Unsupported PostgreSQL features; CREATE VIEW",
         "rights on such views are not imitated"),
    Rule(43, IMITATES, DOCUMENTED,
         "PRIMARY KEY and UNIQUE are accepted and not enforced; NOT NULL is",
         "Redshift developer guide, Defining table constraints"),
    Rule(44, REFUSES, DOCUMENTED,
         "ALTER TABLE: two actions, ADD COLUMN IF NOT EXISTS, NOT NULL without default, a column twice (42701)",
         "Redshift developer guide, ALTER TABLE; rudder-server"),
    Rule(45, REFUSES, PROVEN,
         "ALTER COLUMN TYPE: anything but a VARCHAR's size, the same size (0A000), inside a transaction, with"
         " default, key or some encodings, below stored lengths, under a view",
         "estuary/connectors; snowplow; rudder-server"),
    Rule(46, REFUSES, PROVEN,
         "SET and DROP NOT NULL, SET DEFAULT, SET SCHEMA, PRIMARY KEY on a column that may be NULL",
         "estuary/connectors; Redshift developer guide, ALTER TABLE"),
    Rule(47, REFUSES, DOCUMENTED,
         "DROP of the last column, of distribution and sort keys, of what views need (2BP01); of any column in a"
         " transaction that has added one to the table and updated it",
         "Redshift developer guide, ALTER TABLE; rudder-server; of the last: assumed",
         "--drop-after-add"),
    Rule(48, REFUSES, DOCUMENTED,
         "Inside a transaction: VACUUM, ALTER TABLE APPEND, CREATE and DROP DATABASE, EXTERNAL TABLE, LIBRARY",
         "Redshift developer guide, the statements' pages"),
    Rule(49, REFUSES, DOCUMENTED,
         "CREATE TABLE (LIKE …) with DISTSTYLE, DISTKEY or SORTKEY: they are inherited",
         "Redshift developer guide, CREATE TABLE"),
    Rule(50, REFUSES, DOCUMENTED,
         "Temporary tables with a schema; #name is temporary; they hide others of the name",
         "Redshift developer guide, CREATE TABLE"),
    # Rows.
    Rule(51, REFUSES, DOCUMENTED,
         "ON CONFLICT, RETURNING, DML in WITH, VALUES as a table, IS DISTINCT FROM, generate_series beside tables,"
         " LATERAL, FILTER, FOR UPDATE, DISTINCT ON, operators of JSON and arrays; every function that the reference"
         " does not list; aggregates over an order without a frame",
         "Redshift developer guide, SQL functions reference, Unsupported PostgreSQL functions; LATERAL, FILTER:"
         " assumed",
         "listed functions that PostgreSQL lacks are refused as well, but for those of functions.sql"),
    Rule(52, REFUSES, DOCUMENTED,
         "MERGE with one branch, AND, DO NOTHING, a target's alias, other than equalities, qualified SET, the target"
         " as source",
         "Redshift developer guide, MERGE"),
    Rule(53, REFUSES, DOCUMENTED,
         "MERGE with several source rows for one of the target",
         "Redshift developer guide, MERGE"),
    Rule(54, IMITATES, DOCUMENTED,
         "MERGE … REMOVE DUPLICATES, for tables of the same columns; the source's own duplicates stay",
         "Redshift developer guide, MERGE; of the source's duplicates: assumed"),
    Rule(55, REFUSES, DOCUMENTED,
         "DELETE with an alias, DELETE t USING without FROM, a query in USING, SET t.c, an outer join to the target",
         "Redshift developer guide, DELETE; UPDATE; of a query in USING: assumed",
         "--queries-in-using"),
    Rule(56, IMITATES, DOCUMENTED,
         "UPDATE with several matches takes any, without a word; error_on_nondeterministic_update refuses",
         "Redshift developer guide, UPDATE"),
    Rule(57, IMITATES, DOCUMENTED,
         "TRUNCATE commits the transaction",
         "Redshift developer guide, TRUNCATE"),
    # Transactions.
    Rule(58, REFUSES, ASSUMED,
         "Any statement after an error until ROLLBACK (25P02)",
         "PostgreSQL 8"),
    Rule(59, IMITATES, DOCUMENTED,
         "LOCK is ACCESS EXCLUSIVE; 1023 where transactions cycle, tables as a whole; 1018 for a table younger than"
         " the snapshot; writers of one table wait, and deadlock",
         "Redshift developer guide, Serializable isolation; LOCK; Write and read/write operations;"
         " estuary/connectors PR#5220",
         "--isolation, --no-table-locks; 1023 by PostgreSQL's own detector"),
    Rule(60, IMITATES, DOCUMENTED,
         "pg_table_def shows the search path only; svv_columns, svv_tables, svv_relation_privileges, svv_table_info"
         " (refused unless granted; without empty tables), stv_slices, stv_db_isolation_level, stv_sessions, svv_transactions; serverless has no STL and STV",
         "Redshift developer guide, System tables reference; estuary/connectors",
         "--mode, --table-info"),
    Rule(61, REFUSES, DOCUMENTED,
         "ALTER and DROP by another than the owner (42501)",
         "Redshift developer guide, GRANT"),
    Rule(62, IMITATES, DOCUMENTED,
         "statement_timeout counts the wait for a slot",
         "Redshift developer guide, statement_timeout",
         "--queue-seconds"),
    Rule(63, REFUSES, ASSUMED,
         "DROP TABLE and VIEW, with IF EXISTS too, in a schema that does not exist (3F000)",
         "PostgreSQL before 9.4, which Redshift comes from"),
]

HEAD = """# The stand-in for Redshift

No Redshift is to be had where the tests run, so `tests/standin` stands in for one: it speaks to clients as
Redshift does, refuses what Redshift refuses, runs `COPY` itself, and has PostgreSQL do the rest. Where it is
not known what Redshift does, it does the worst; that is marked *assumed*, and some of it can be switched.
*Documented* is what AWS's pages say, *proven* what others saw a cluster answer. Nothing here was compared
with a cluster by this project: a load that passes the stand-in has passed these rules, no more.

`tests/standin/standin.py --help` says how to run it by hand; tests use `Standin` in `tests/lib/redshift.py`.
It refuses with "the stand-in knows no …" what it cannot imitate, rather than let it pass.

Made from `tests/standin/rules.py`; each rule has a test in `tests/standin/test_*.py`.

| no. | it | what | status | source | limits and switches |
| --- | --- | --- | --- | --- | --- |
"""


def document():
    rows = "".join(
        "| " + " | ".join([str(rule.number), rule.kind, rule.text.replace("|", "\\|"), rule.status, rule.source,
                           f"`{rule.limits}`" if rule.limits.startswith("--") and "," not in rule.limits
                           and ";" not in rule.limits else rule.limits]) + " |\n" for rule in RULES)
    return HEAD + rows


def main():
    if sys.argv[1:] == ["--check"]:
        if DOCUMENT.read_text(encoding="utf-8") != document():
            sys.exit(f"{DOCUMENT.name} differs from rules.py: run rules.py > {DOCUMENT.name}")
    else:
        print(document(), end="")


if __name__ == "__main__":
    main()
