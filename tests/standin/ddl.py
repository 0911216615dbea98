"""CREATE and DROP."""

import json

import columns
import late_views
from dml import top_level, visibility
from expressions import translate
from relation import Relation, syntax_error
from tokens import closing, literal, name_of, render, split_list, words
from wire import Refused

COLUMNS_MAX = 1600
ABSENT = {"INDEX": 42, "UNIQUE": 42, "SEQUENCE": 42, "TRIGGER": 42, "DOMAIN": 42, "TYPE": 42, "UNLOGGED": 42,
          "RULE": 42, "OPERATOR": 42, "AGGREGATE": 42, "EXTENSION": 42, "TABLESPACE": 42, "CONSTRAINT": 42,
          "EVENT": 42, "CAST": 42, "COLLATION": 42, "PUBLICATION": 42, "SUBSCRIPTION": 42, "FOREIGN": 42}
NOT_IN_BLOCK = {"DATABASE": "CREATE DATABASE", "LIBRARY": "CREATE LIBRARY", "EXTERNAL": "CREATE EXTERNAL TABLE"}


def plan_create(tokens, session, plan):
    word = tokens[1].word if len(tokens) > 1 else ""
    if word in ABSENT:
        raise Refused(ABSENT[word], "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    refuse_in_block(tokens, session, "CREATE")
    if word in ("DATABASE", "LIBRARY", "EXTERNAL", "USER", "GROUP", "ROLE", "FUNCTION", "PROCEDURE", "MATERIALIZED"):
        raise Refused(0, "0A000", f"the stand-in knows no CREATE {word}")
    if word == "SCHEMA":
        translate(tokens, session, ddl=True)
        return plan(render(tokens))
    if "VIEW" in (word, tokens[3].word if len(tokens) > 3 else ""):
        return plan_view(tokens, session, plan)
    temporary = word in ("TEMP", "TEMPORARY") or word == "LOCAL" and tokens[2].word in ("TEMP", "TEMPORARY")
    at = {True: 2 + (word == "LOCAL"), False: 1}[temporary]
    if not words(tokens, at, "TABLE"):
        raise syntax_error(42, tokens[at] if at < len(tokens) else None)
    return plan_table(tokens, at + 1, temporary, session, plan)


def refuse_in_block(tokens, session, verb):
    word = tokens[1].word if len(tokens) > 1 else ""
    if word in NOT_IN_BLOCK and session.state != b"I":
        raise Refused(48, "25001", f"{NOT_IN_BLOCK[word].replace('CREATE', verb)} cannot run inside a transaction"
                      " block")


def plan_table(tokens, at, temporary, session, plan):
    exists = words(tokens, at, "IF", "NOT", "EXISTS")
    relation = Relation(tokens, at + 3 if exists else at, 42)
    if relation.name.startswith("#"):
        temporary = True
    if temporary and relation.schema:
        raise Refused(50, "42P16", "temporary tables cannot specify a schema name")
    if not temporary and not relation.schema:
        relation.schema = session.search_path[0]
    at, body = relation.after, None
    if at < len(tokens) and tokens[at].text == "(" and not words(tokens, at + 1, "SELECT"):
        end = closing(tokens, at)
        body, at = tokens[at + 1 : end], end + 1
    query = top_level(tokens, at, "AS")
    attributes = columns.table_attributes(tokens[at:query])
    if query < len(tokens):
        return plan_table_as(tokens, query, body, (relation, temporary, exists), attributes, session, plan)
    if body is None:
        raise syntax_error(42, tokens[at] if at < len(tokens) else None)
    head = f"CREATE {'TEMP ' if temporary else ''}TABLE {'IF NOT EXISTS ' if exists else ''}{relation.sql(session)}"
    made = columns.read_table(split_list(body), session)
    if made.parent:
        if attributes.given:
            raise Refused(49, "42601", "CREATE TABLE LIKE is not allowed with DISTSTYLE, DISTKEY or SORTKEY options")
        parent = made.parent.sql(session)
        made.count += int(session.ask(f"SELECT count(*) FROM pg_attribute WHERE attrelid = {literal(parent)}::regclass"
                                      " AND attnum > 0 AND NOT attisdropped")[0][0])
    if made.count > COLUMNS_MAX:
        raise Refused(41, "54011", f"tables can have at most {COLUMNS_MAX} columns")
    attributes.take(made)
    target = literal(relation.sql(session))
    after = [f"SELECT redshift.remember_table({target}, {literal(json.dumps(attributes.memory(relation, made)))})"]
    if made.parent:
        after.insert(0, f"SELECT redshift.inherit_memory({target}, {literal(parent)})")
    if exists and session.ask(f"SELECT to_regclass({target})")[0][0]:
        after = []  # Only the name is compared.
    return plan(f"{head} ({', '.join(made.sql)})", after=after, before=visibility([], session))


def plan_table_as(tokens, query, body, target, attributes, session, plan):
    relation, temporary, exists = target
    names = f" ({render(body)})" if body else ""
    translate(tokens[query:], session)
    main = (f"CREATE {'TEMP ' if temporary else ''}TABLE {'IF NOT EXISTS ' if exists else ''}"
            f"{relation.sql(session)}{names} {render(tokens[query:])}")
    made = columns.Table()
    memory = json.dumps(attributes.memory(relation, made))
    return plan(main, before=visibility(tokens[query:], session), tag="SELECT",
                after=[f"SELECT redshift.remember_table({literal(relation.sql(session))}, {literal(memory)})"])


def plan_view(tokens, session, plan):
    at = 2 if words(tokens, 1, "VIEW") else 4
    if at == 4 and not words(tokens, 1, "OR", "REPLACE", "VIEW"):
        raise syntax_error(42, tokens[1])
    relation = Relation(tokens, at, 42)
    if [token.word for token in tokens[-4:]] == ["WITH", "NO", "SCHEMA", "BINDING"]:
        begin = top_level(tokens, relation.after, "AS")
        return late_views.plan_create(relation, tokens[begin:-4], at == 4, session, plan)
    if not relation.schema:
        relation.schema = session.search_path[0]
        tokens[relation.after - 1].out = relation.sql(session)
    before = visibility(tokens[relation.after :], session)
    translate(tokens, session)
    return plan(render(tokens), before=before, tag="CREATE VIEW")


def require_schema(relation, session):
    """PostgreSQL of today drops nothing there without a word, where IF EXISTS is given."""
    if relation.schema and not session.ask(
            f"SELECT 1 FROM pg_namespace WHERE nspname = {literal(session.server.names.short(relation.schema))}"):
        raise Refused(63, "3F000", f'schema "{relation.schema}" does not exist')


def plan_drop(tokens, session, plan):
    refuse_in_block(tokens, session, "DROP")
    word = tokens[1].word if len(tokens) > 1 else ""
    if word in ABSENT:
        raise Refused(42, "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    if word not in ("TABLE", "VIEW", "SCHEMA"):
        raise Refused(0, "0A000", f"the stand-in knows no DROP {word}")
    names = [name_of(token) for token in tokens[2:] if token.is_name]
    if "redshift" in names or "pg_catalog" in names:
        raise Refused(61, "42501", "permission denied")
    if word != "SCHEMA":
        relation = Relation(tokens, 4 if words(tokens, 2, "IF", "EXISTS") else 2, 47)
        require_schema(relation, session)
        if word == "VIEW" and (dropped := late_views.plan_drop(relation, session, plan)):
            return dropped
    translate(tokens, session, ddl=True)
    return plan(render(tokens), before=visibility([], session))
