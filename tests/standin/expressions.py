"""What is checked and translated in every statement: literals, names, casts, functions, system tables."""

import re

import late_views
from allowed import ABSENT_OPERATORS, AGGREGATES, FUNCTIONS, NO_CALL
from names import RESERVED
from redshift_types import read_type
from relation import Relation, syntax_error
from tokens import closing, name_of, quoted, replace
from wire import Refused

INFORMATION_SCHEMA = {"columns", "tables", "table_constraints", "key_column_usage"}
HIDDEN_ON_SERVERLESS = re.compile(r"st[lv]_\w+")
SUPERUSER_VIEWS = {"svv_table_info", "svv_vacuum_progress"}
# What of the reserved words no query has otherwise than as a name.
RESERVED_NAMES = RESERVED - set("""BETWEEN CURRENT_USER_ID DATE DATETIME IGNORE INTERVAL MINUS NULLS OFF PARTITION
    PIVOT RESPECT START SYSDATE TIME TIMESTAMP TIMESTAMPTZ TIMETZ TOP UNNEST UNPIVOT WITHOUT IDENTITY PERCENT
    NEW OLD OPEN CONNECT EXPLICIT LANGUAGE""".split())
LAST = {"PG_LAST_COPY_COUNT": "last_copy_count", "PG_LAST_COPY_ID": "last_copy_id",
        "PG_LAST_QUERY_ID": "last_query_id"}


def undefined_function(rule, name):
    return Refused(rule, "42883", f"function {name.lower()}() does not exist")


def translate(tokens, session, *, ddl=False):
    """Rewrites TOKENS in place. True when it asks for the last COPY or query. DDL: no DML, where words are
    reserved."""
    asks = False
    late_views.expand(tokens, session, Relation, translate)
    _refuse_forms(tokens)
    if not ddl:
        _refuse_reserved(tokens)
    for at, token in enumerate(tokens):
        if token.out != token.text:  # rewritten already
            continue
        if token.kind == "string":
            _check_literal(tokens, at)
        elif token.text == "::" and at + 1 < len(tokens):
            _translate_type(tokens, at + 1)
        elif token.word == "CAST" and _follows(tokens, at, "("):
            _translate_cast(tokens, at)
        elif token.is_name:
            asks |= _translate_name(tokens, at, session)
    return asks


def _follows(tokens, at, text):
    return at + 1 < len(tokens) and tokens[at + 1].text == text


def _refuse_forms(tokens):
    for at, token in enumerate(tokens):
        previous = tokens[at - 1] if at else None
        following = tokens[at + 1].word if at + 1 < len(tokens) else ""
        if token.word == "DISTINCT" and following == "FROM" and previous is not None \
                and previous.word in ("IS", "NOT"):
            raise syntax_error(51, token)
        if token.word == "LATERAL" and following == "(":
            raise syntax_error(51, token)
        if token.word in ABSENT_OPERATORS:
            raise Refused(51, "42883", f"operator does not exist: {token.text}")
        if token.word == "DISTINCT" and following == "ON" or token.word == "ARRAY" and following == "[":
            raise syntax_error(51, tokens[at + 1])
        if token.word == "FOR" and following in ("UPDATE", "SHARE", "NO", "KEY"):
            raise Refused(51, "0A000", f"SELECT FOR {following} is not supported")
        if token.word == "FETCH" and following in ("FIRST", "NEXT") and tokens[0].word != "FETCH" \
                or token.word == "TABLESAMPLE" or token.word == "OVERRIDING":
            raise syntax_error(51, token)
        if token.word == "FILTER" and following == "(" and previous is not None and previous.text == ")":
            raise syntax_error(51, tokens[at + 1])
        if token.word == "VALUES" and previous is not None and previous.text == "(":
            raise syntax_error(51, token)
        if token.word == "RETURNING":
            raise syntax_error(51, token)
        if token.word == "CONFLICT" and previous is not None and previous.word == "ON":
            raise syntax_error(51, token)


def _refuse_reserved(tokens):
    """Reserved words that no expression has as syntax, standing as names without quotes. Catalog tables are asked for
    `c.oid` (dbt-redshift, relations.sql)."""
    for at, token in enumerate(tokens):
        of_catalog = token.word == "OID" and at and tokens[at - 1].text == "."
        if token.kind == "name" and token.word in RESERVED_NAMES and not of_catalog:
            raise syntax_error(40, token)


def _check_literal(tokens, at):
    """Only plain literals: what E'…' is to Redshift is not known."""
    token, previous = tokens[at], tokens[at - 1] if at else None
    if previous is not None and not token.gap and previous.kind == "name" \
            and previous.word in ("E", "B", "X", "N"):
        raise Refused(8, "42704", f'type "{previous.text.lower()}" does not exist')
    if "\0" in token.text or "\\0" in token.text.replace("\\\\", ""):
        raise Refused(21, "22021", "invalid byte sequence for encoding \"UNICODE\": 0x00")


def _translate_type(tokens, at):
    kind, after = read_type(tokens, at)
    replace(tokens, at, after, kind.postgres)


def _translate_cast(tokens, at):
    end = closing(tokens, at + 1)
    depth = 0
    for index in range(at + 2, end):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if depth == 0 and tokens[index].word == "AS":
            _translate_type(tokens, index + 1)


def _translate_name(tokens, at, session):
    token = tokens[at]
    word, is_call = token.word, _follows(tokens, at, "(")
    qualified = at > 0 and tokens[at - 1].text == "."
    if is_call and token.kind == "name" and word not in NO_CALL:
        if word in LAST and not qualified:
            end = closing(tokens, at + 1)
            replace(tokens, at, end + 1, f"CAST({getattr(session, LAST[word])} AS bigint)")
            return True
        _check_function(tokens, at)
        if word == "NVL" and not qualified:
            token.out = "COALESCE"
        if word in ("DATEADD", "DATEDIFF") and at + 2 < len(tokens) and tokens[at + 2].kind == "name":
            tokens[at + 2].out = f"'{tokens[at + 2].text}'"
    elif word == "SYSDATE" and not qualified:
        token.out = "redshift.sysdate()"
    elif token.kind == "name" and word.lower() == "information_schema" and at + 2 < len(tokens) \
            and tokens[at + 1].text == ".":
        view = name_of(tokens[at + 2])
        if view in INFORMATION_SCHEMA:
            replace(tokens, at, at + 3, f"redshift.information_schema_{view}")
    elif word == "PG_CATALOG" and at + 2 < len(tokens) and _is_system_view(name_of(tokens[at + 2])):
        _check_view(name_of(tokens[at + 2]), session)
        token.out = "redshift"
    else:
        name = name_of(token)
        _check_view(name, session)
        if token.kind == "quoted":
            token.out = quoted(session.server.names.short(name))
        elif len(name.encode("utf-8", "surrogateescape")) > 63:
            token.out = quoted(session.server.names.short(name))
        elif token.text.startswith("#"):
            token.out = quoted(name)
        elif any(character > "\x7f" for character in token.text):
            token.out = quoted(name)
    return False


def _is_system_view(name):
    return re.fullmatch(r"(st[lv]|sv[vlcs]|sys)_\w+|pg_table_def", name) is not None


def _check_view(name, session):
    if session.options.mode == "serverless" and HIDDEN_ON_SERVERLESS.fullmatch(name):
        raise Refused(60, "42501", f"permission denied for relation {name}")
    if name in SUPERUSER_VIEWS and not session.options.table_info_granted:
        raise Refused(60, "42501", f"permission denied for relation {name}")


def _beside_a_table(tokens, at):
    """Whether the call at AT, in a FROM, is followed by more."""
    after = closing(tokens, at + 1) + 1
    while after < len(tokens) and tokens[after].is_name and tokens[after].word not in ("JOIN", "CROSS", "WHERE"):
        after += 1
    return after < len(tokens) and (tokens[after].text == "," or tokens[after].word in ("JOIN", "CROSS"))


def _check_function(tokens, at):
    token = tokens[at]
    if token.word not in FUNCTIONS:
        if not _names_columns(tokens, at):
            raise undefined_function(51, token.text)
    elif token.word == "GENERATE_SERIES":
        # The leader node has it; beside a table, or for a table, it fails.
        others = [one for number, one in enumerate(tokens) if one.word in ("FROM", "JOIN", "INTO", "UPDATE")
                  and number + 1 < len(tokens) and tokens[number + 1].word not in ("GENERATE_SERIES", "(")]
        if others or tokens[0].word != "SELECT" or _beside_a_table(tokens, at):
            raise Refused(51, "0A000", 'Specified types or functions (one per INFO message) not supported on'
                          " Redshift tables.")
    elif token.word in AGGREGATES:
        _check_window(tokens, at)


def _names_columns(tokens, at):
    """Whether the name at AT is a table's or an alias, with a list of columns."""
    before = tokens[at - 1] if at else None
    after = closing(tokens, at + 1) + 1
    follows = tokens[after].word if after < len(tokens) else ""
    if before is not None and before.word in ("INTO", "AS", "."):
        return before.word != "." or follows in ("VALUES", "SELECT", "WITH", "DEFAULT", "(")
    return follows == "AS" and after + 1 < len(tokens) and tokens[after + 1].text == "("


def _check_window(tokens, at):
    """An aggregate over an order needs to be told its frame."""
    after = closing(tokens, at + 1) + 1
    if after + 1 < len(tokens) and tokens[after].word == "OVER" and tokens[after + 1].text == "(":
        inside = [token.word for token in tokens[after + 2 : closing(tokens, after + 1)]]
        if "ORDER" in inside and "ROWS" not in inside and "RANGE" not in inside:
            raise Refused(51, "42601", "Aggregate window functions with an ORDER BY clause require a frame clause")
