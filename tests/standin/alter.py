"""ALTER TABLE: one action a statement, of few kinds."""

import json

import columns
from dml import locks, visibility
from expressions import translate
from relation import Relation, syntax_error
from redshift_types import from_catalog, read_type
from tokens import closing, literal, name_of, render, words
from wire import Refused

FIXED_ENCODINGS = ("bytedict", "runlength", "text255", "text32k")


class Column:
    """A column as the catalog has it."""

    def __init__(self, session, table, name):
        rows = session.ask(
            "SELECT a.attnotnull, a.atthasdef, t.typname, coalesce(b.typname, t.typname), CASE WHEN t.typtype = 'd'"
            " THEN t.typtypmod ELSE a.atttypmod END, format_type(coalesce(b.oid, t.oid), NULL),"
            f" m.distkey = {literal(name)}, {literal(name)} = ANY (m.sortkeys), m.encodings->>{literal(name)},"
            " EXISTS (SELECT FROM redshift.constraint_memory k WHERE k.relation = a.attrelid AND"
            f" {literal(name)} = ANY (k.columns)) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " LEFT JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN redshift.table_memory m ON m.relation ="
            f" a.attrelid WHERE a.attrelid = {literal(table)}::regclass AND a.attname ="
            f" {literal(session.server.names.short(name))} AND a.attnum > 0 AND NOT a.attisdropped")
        self.exists = bool(rows)
        if rows:
            row = rows[0]
            self.not_null, self.has_default = row[0] == "t", row[1] == "t"
            self.type = from_catalog(row[2], row[3], int(row[4]), row[5])
            self.distkey, self.sortkey, self.encoding = row[6] == "t", row[7] == "t", row[8]
            self.constrained = row[9] == "t"


def plan_alter(tokens, session, plan):
    word = tokens[1].word if len(tokens) > 1 else ""
    if word == "DATABASE":
        if session.state != b"I":
            raise Refused(48, "25001", "ALTER DATABASE cannot run inside a transaction block")
        raise Refused(0, "0A000", "the stand-in knows no ALTER DATABASE: its isolation level is an option")
    if word == "SCHEMA":
        translate(tokens, session, ddl=True)
        return plan(render(tokens))
    if word != "TABLE":
        raise Refused(42, "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    if words(tokens, 2, "IF", "EXISTS") or words(tokens, 2, "ONLY"):
        raise syntax_error(44, tokens[2])
    relation = Relation(tokens, 2, 44)
    rest = tokens[relation.after :]
    if not rest:
        raise syntax_error(44, None)
    _refuse_several(rest)
    action = {"ADD": _add, "DROP": _drop, "RENAME": _rename, "ALTER": _alter, "OWNER": _plain, "APPEND": _append,
              "SET": _set}.get(rest[0].word)
    if action is None:
        raise syntax_error(46, rest[0])
    return action(rest, relation, session, plan)


def _refuse_several(rest):
    """ALTER DISTKEY and SORTKEY may stand together, encodings too."""
    at = 0
    while at < len(rest):
        if rest[at].text == "(":
            at = closing(rest, at)
        elif rest[at].text == "," and rest[at].kind == "mark":
            following = [token.word for token in rest[at + 1 :]]
            if not ("ENCODE" in following or {"SORTKEY", "DISTKEY", "DISTSTYLE"} & set(following)):
                raise syntax_error(44, rest[at])
        at += 1


def _plain(rest, relation, session, plan):
    translate(rest, session, ddl=True)
    return plan(f"ALTER TABLE {relation.sql(session)} {render(rest)}")


def _add(rest, relation, session, plan):
    table = relation.sql(session)
    if rest[1].word in ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT", "CHECK"):
        return _add_constraint(rest, relation, session, plan)
    at = 2 if rest[1].word == "COLUMN" else 1
    if words(rest, at, "IF"):
        raise syntax_error(44, rest[at + 1] if at + 1 < len(rest) else rest[at])
    made = columns.Table()
    columns.read_column(rest[at:], made, session)
    ((name, text),) = made.sql
    if made.identity or made.constraints or made.distkey or made.sortkeys or "IDENTITY" in text:
        raise Refused(44, "0A000", "ALTER TABLE ADD COLUMN cannot have IDENTITY, UNIQUE, PRIMARY KEY, REFERENCES,"
                      " DISTKEY or SORTKEY")
    if " NOT NULL" in text and (" DEFAULT " not in text or " DEFAULT NULL" in text.upper()):
        raise Refused(44, "42601", "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")
    found = Column(session, table, name)
    if found.exists:
        raise Refused(44, "42701", f'column "{name}" of relation "{relation.name}" already exists')
    count = int(session.ask(f"SELECT count(*) FROM pg_attribute WHERE attrelid = {literal(table)}::regclass AND"
                            " attnum > 0 AND NOT attisdropped")[0][0])
    if count >= 1600:
        raise Refused(41, "54011", "tables can have at most 1600 columns")
    after = []
    if made.encodings:
        change = literal(json.dumps({"encodings": made.encodings}))
        after = [f"SELECT redshift.change_memory({literal(table)}, {change})"]
    if session.state == b"T":
        session.widened.add(table)
    return plan(f"ALTER TABLE {table} ADD COLUMN {text}", after=after, before=visibility([], session))


def _add_constraint(rest, relation, session, plan):
    table = relation.sql(session)
    at = 3 if rest[1].word == "CONSTRAINT" else 1
    kind = rest[at].word
    if kind == "CHECK":
        raise Refused(42, "0A000", "CHECK and EXCLUDE constraints are not supported")
    if kind == "FOREIGN":
        return plan(action=lambda: "ALTER TABLE")
    names, _ = columns.name_list(rest, at + (2 if kind == "PRIMARY" else 1))
    for name in names:
        found = Column(session, table, name)
        if not found.exists:
            raise Refused(43, "42703", f'column "{name}" named in key does not exist')
        if kind == "PRIMARY" and not found.not_null:
            raise Refused(46, "42P16", f'column "{name}" is not NOT NULL: ALTER TABLE ADD PRIMARY KEY refused')
    suffix = "pkey" if kind == "PRIMARY" else "_".join([*names, "key"])
    own = name_of(rest[2]) if at == 3 else f"{relation.name}_{suffix}"
    one = {"name": own, "kind": "PRIMARY KEY" if kind == "PRIMARY" else kind, "columns": names}
    return plan(f"SELECT redshift.remember_constraint({literal(table)}, {literal(json.dumps(one))})", tag="ALTER TABLE")


def _drop(rest, relation, session, plan):
    table = relation.sql(session)
    if rest[1].word == "CONSTRAINT":
        return plan(f"SELECT redshift.forget_constraint({literal(table)}, {literal(name_of(rest[2]))})",
                    tag="ALTER TABLE")
    at = 2 if rest[1].word == "COLUMN" else 1
    if words(rest, at, "IF"):
        raise syntax_error(47, rest[at])
    name = name_of(rest[at])
    tail = [token.word for token in rest[at + 1 :]]
    if tail not in ([], ["RESTRICT"], ["CASCADE"]):
        raise syntax_error(47, rest[at + 1])
    if table in session.widened & session.updated and session.options.refuse_drop_after_add:
        raise Refused(47, "0A000", "DROP COLUMN after ADD COLUMN and UPDATE in one transaction: not known to work")
    found = Column(session, table, name)
    if found.exists:
        if found.distkey:
            raise Refused(47, "0A000", f'cannot drop distkey column "{name}"')
        if found.sortkey:
            raise Refused(47, "0A000", f'cannot drop sortkey column "{name}"')
        left = session.ask(f"SELECT count(*) FROM pg_attribute WHERE attrelid = {literal(table)}::regclass AND"
                           " attnum > 0 AND NOT attisdropped")[0][0]
        if left == "1":
            raise Refused(47, "0A000", f'cannot drop the last column "{name}" of relation "{relation.name}"')
    return plan(f"ALTER TABLE {table} DROP COLUMN {session.server.names.quote(name)} {' '.join(tail)}",
                before=visibility([], session))


def _rename(rest, relation, session, plan):
    table, names = relation.sql(session), session.server.names
    if rest[1].word == "TO" and len(rest) == 3:
        return plan(f"ALTER TABLE {table} RENAME TO {names.quote(name_of(rest[2]))}", before=visibility([], session))
    at = 2 if rest[1].word == "COLUMN" else 1
    if not words(rest, at + 1, "TO") or at + 3 != len(rest):
        raise syntax_error(44, rest[-1])
    old, new = name_of(rest[at]), columns.check_name(rest[at + 2])
    return plan(f"ALTER TABLE {table} RENAME COLUMN {names.quote(old)} TO {names.quote(new)}",
                before=visibility([], session),
                after=[f"SELECT redshift.rename_in_memory({literal(table)}, {literal(old)}, {literal(new)})"])


def _alter(rest, relation, session, plan):
    if rest[1].word in ("DISTKEY", "DISTSTYLE", "SORTKEY", "COMPOUND", "INTERLEAVED", "ENCODE"):
        return _alter_layout(rest, relation, session, plan)
    at = 2 if rest[1].word == "COLUMN" else 1
    name = name_of(rest[at])
    if words(rest, at + 1, "ENCODE"):
        if len(rest) == at + 3:
            return plan(action=lambda: "ALTER TABLE")
        raise syntax_error(45, rest[-1])
    if not words(rest, at + 1, "TYPE"):
        # SET and DROP NOT NULL, SET DEFAULT.
        raise Refused(46, "0A000", f"ALTER COLUMN {' '.join(token.word for token in rest[at + 1 : at + 4])} is not"
                      " supported")
    return _alter_type(rest, at, name, relation, session, plan)


def _alter_type(rest, at, name, relation, session, plan):
    table = relation.sql(session)
    if session.state != b"I":
        raise Refused(45, "25001", "ALTER TABLE ALTER COLUMN cannot run inside a transaction block")
    wanted, after = read_type(rest, at + 2)
    if after != len(rest):
        raise syntax_error(45, rest[after])
    found = Column(session, table, name)
    if not found.exists:
        raise Refused(45, "42703", f'column "{name}" of relation "{relation.name}" does not exist')
    where = f'cannot alter column "{name}" of relation "{relation.name}"'
    if found.type.name != wanted.name or wanted.name not in ("character varying",):
        raise Refused(45, "0A000", f"{where}, only a VARCHAR's size can be changed")
    if found.type.size == wanted.size:
        raise Refused(45, "0A000", f"{where}, target column size should be different")
    if found.encoding in FIXED_ENCODINGS:
        raise Refused(45, "0A000", f"{where} with encode type ({found.encoding})")
    if found.has_default or found.constrained:
        raise Refused(45, "0A000", f"{where}, it has a default or a constraint")
    if wanted.size < found.type.size:
        longest = session.ask(f"SELECT max(octet_length({session.server.names.quote(name)})) FROM {table}")[0][0]
        if longest and int(longest) > wanted.size:
            raise Refused(45, "0A000", f"{where}, target column size {wanted.size} is smaller than the longest value")
    return plan(f"ALTER TABLE {table} ALTER COLUMN {session.server.names.quote(name)} TYPE {wanted.postgres}")


def _alter_layout(rest, relation, session, plan):
    attributes = columns.table_attributes([token for token in rest if token.word not in ("ALTER", ",")])
    change = {}
    if attributes.distkey or attributes.diststyle:
        change |= {"diststyle": attributes.diststyle or "KEY", "distkey": attributes.distkey}
    if attributes.sortkeys or attributes.sort_auto:
        change |= {"sortkeys": attributes.sortkeys, "sort_auto": not attributes.sortkeys}
    for name in [*attributes.sortkeys, *([attributes.distkey] if attributes.distkey else [])]:
        found = Column(session, relation.sql(session), name)
        if not found.exists:
            raise Refused(41, "42703", f'column "{name}" named in key does not exist')
        if found.type.name in columns.NO_KEY:
            raise Refused(41, "0A000", f'column "{name}" of type {found.type.name} cannot be a distribution or sort'
                          " key")
    return plan(f"SELECT redshift.change_memory({literal(relation.sql(session))}, {literal(json.dumps(change))})",
                tag="ALTER TABLE")


def _set(rest, relation, session, plan):
    raise Refused(46, "42601", f'syntax error at or near "{rest[1].text if len(rest) > 1 else "SET"}"')


def _append(rest, relation, session, plan):
    if session.state != b"I":
        raise Refused(48, "25001", "ALTER TABLE APPEND cannot run inside a transaction block")
    source = Relation(rest, 2, 48)
    target = relation.sql(session)
    return plan(f"INSERT INTO {target} SELECT * FROM {source.sql(session)}", before=locks(relation, session),
                after=[f"DELETE FROM {source.sql(session)}"], tag="ALTER TABLE APPEND")
