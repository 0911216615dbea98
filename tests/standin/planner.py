"""What a statement becomes: refused, statements for PostgreSQL, or work of the stand-in."""

import alter
import copy_run
import ddl
import dml
import merge
from expressions import translate
from relation import syntax_error
from session_commands import COMMANDS
from tokens import render
from wire import Refused


class Plan:
    """`main` is answered; `before` and `after` are run with it, in one transaction. Or `action` does it all
    and returns the tag of its CommandComplete."""

    def __init__(self, main=None, *, before=(), after=(), tag=None, action=None, takes_snapshot=True,
                 asks_for_last=False):
        self.main, self.before, self.after, self.tag, self.action = main, list(before), list(after), tag, action
        self.takes_snapshot, self.asks_for_last = takes_snapshot, asks_for_last


# What Redshift lacks altogether: rule, SQLSTATE, message.
ABSENT = {
    "LISTEN": 5, "UNLISTEN": 5, "NOTIFY": 5, "DISCARD": 5, "SAVEPOINT": 5, "RELEASE": 5,
}


def plan_statement(tokens, session):
    """The Plan of one statement; Refused if Redshift would refuse it."""
    first = tokens[0]
    if first.word in ABSENT:
        raise Refused(ABSENT[first.word], "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    planned = {
        "SELECT": plan_query, "WITH": plan_query, "(": plan_query,
        "INSERT": dml.plan_insert, "UPDATE": dml.plan_update, "DELETE": dml.plan_delete, "MERGE": merge.plan_merge,
        "COPY": copy_run.plan_copy, "CREATE": ddl.plan_create, "ALTER": alter.plan_alter, "DROP": ddl.plan_drop,
        "TRUNCATE": dml.plan_truncate, "LOCK": dml.plan_lock,
        **COMMANDS,
    }.get(first.word)
    if planned is None:
        raise syntax_error(51, first)
    try:
        return planned(tokens, session, Plan)
    except (IndexError, ValueError) as error:  # It ends too early, or a name stands where a number should.
        raise Refused(42, "42601", f"syntax error: {error}") from None


def plan_query(tokens, session, plan):
    dml.check_with(tokens)
    verb = dml.top_level(tokens, 1, "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE")
    if tokens[0].word == "WITH" and verb < len(tokens) and tokens[verb].word != "SELECT":
        raise Refused(0, "0A000", f"the stand-in knows no WITH before {tokens[verb].word}")
    for at, token in enumerate(tokens):
        if token.word == "TOP" and at and tokens[at - 1].word == "SELECT":
            raise Refused(0, "0A000", "the stand-in knows no TOP: write LIMIT")
        if token.word == "INTO" and tokens[0].word == "SELECT":
            raise Refused(0, "0A000", "the stand-in knows no SELECT INTO: write CREATE TABLE AS")
    before = dml.visibility(tokens, session)
    asks = translate(tokens, session)
    return plan(render(tokens), before=before, asks_for_last=asks)
