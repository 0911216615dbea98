"""Transactions, settings, grants, maintenance: statements that neither read nor change tables' rows."""

import re

import late_views
from expressions import translate
from relation import syntax_error
from tokens import literal, lower_ascii, name_of, quoted, render, string_of, words
from wire import Refused

BEGIN = re.compile(r"(BEGIN|START)( WORK| TRANSACTION)?( ISOLATION LEVEL (READ UNCOMMITTED|READ COMMITTED|"
                   r"REPEATABLE READ|SERIALIZABLE))?( ,)?( READ (ONLY|WRITE))?")
# Settings of Redshift that PostgreSQL lacks, with their defaults.
OWN = {"enable_case_sensitive_identifier": "off", "error_on_nondeterministic_update": "off",
       "json_parse_dedup_attributes": "off", "json_parse_truncate_strings": "off", "query_group": "default",
       "wlm_query_slot_count": "1", "enable_result_cache_for_session": "on", "autocommit": "on",
       "interval_forbid_composite_literals": "off", "describe_field_name_in_uppercase": "off",
       "case_sensitive_identifier": "off", "max_cursor_result_set_size": "0"}
# Those of PostgreSQL that Redshift has as well.
SHARED = {"statement_timeout", "datestyle", "timezone", "extra_float_digits", "application_name", "client_encoding",
          "search_path", "server_version", "transaction_isolation", "session_authorization"}


def plan_begin(tokens, session, plan):
    if not BEGIN.fullmatch(" ".join(token.word for token in tokens)):
        raise syntax_error(51, tokens[-1])
    level = "SERIALIZABLE" if session.options.isolation == "serializable" else "REPEATABLE READ"
    # The level that is asked for is accepted and means nothing.
    main = "BEGIN" if session.state != b"I" else f"BEGIN ISOLATION LEVEL {level}"
    return plan(main, tag="BEGIN", takes_snapshot=False)


def plan_end(tokens, session, plan):
    rest = [token.word for token in tokens[1:]]
    if rest and rest[0] == "TO" or "SAVEPOINT" in rest:
        raise Refused(5, "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    if rest not in ([], ["WORK"], ["TRANSACTION"]):
        raise syntax_error(51, tokens[1])
    return plan("COMMIT" if tokens[0].word in ("COMMIT", "END") else "ROLLBACK", takes_snapshot=False)


def plan_set(tokens, session, plan):
    at = 2 if tokens[1].word in ("SESSION", "LOCAL") else 1
    if words(tokens, at, "AUTHORIZATION") or words(tokens, at, "TRANSACTION"):
        raise Refused(51, "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    name = name_of(tokens[at])
    if at + 2 >= len(tokens) or tokens[at + 1].word not in ("TO", "="):
        if name == "time" and words(tokens, at + 1, "ZONE"):
            return plan(render(tokens), takes_snapshot=False)
        raise syntax_error(51, tokens[min(at + 1, len(tokens) - 1)])
    values = [string_of(token) if token.kind == "string" else token.text for token in tokens[at + 2 :]
              if token.text != ","]
    if name in OWN:
        if name == "enable_case_sensitive_identifier" and lower_ascii(values[0]) in ("true", "on", "1"):
            raise Refused(0, "0A000", "the stand-in lower-cases all names")
        value = {"true": "on", "false": "off"}.get(lower_ascii(values[0]), lower_ascii(values[0]))

        def keep():
            session.settings[name] = value
            return "SET"
        return plan(action=keep, takes_snapshot=False)
    if name not in SHARED:
        raise Refused(1, "42704", f'unrecognized configuration parameter "{name}"')
    if name == "extra_float_digits":
        check_float_digits(values)
    if name == "search_path":
        return _set_path(session, plan, values)
    if name == "statement_timeout":
        return _set_timeout(session, plan, values)
    return plan(render(tokens), takes_snapshot=False)


def check_float_digits(values):
    digits = int("".join(values)) if "".join(values).lstrip("-").isdigit() else 0
    if not -15 <= digits <= 2:
        raise Refused(1, "22023", f'{digits} is outside the valid range for parameter "extra_float_digits"'
                      " (-15 .. 2)")


def _set_timeout(session, plan, values):
    if not values[0].isdigit():
        raise Refused(62, "22023", "statement_timeout is a number of milliseconds")
    session.settings["statement_timeout"] = values[0]
    # What PostgreSQL may take is what the queue leaves.
    left = int(values[0]) and max(1, int(values[0]) - int(session.options.queue_seconds * 1000))
    return plan(f"SET statement_timeout TO {left}", takes_snapshot=False)


def _set_path(session, plan, values):
    path = [lower_ascii(value.strip('" ')) for text in values for value in text.split(",")]
    session.search_path = [name for name in path if name != "$user"] or ["public"]
    inner = ", ".join(["redshift", "pg_catalog", *map(quoted, map(session.server.names.short, path))])
    return plan(f"SET search_path TO {inner}", takes_snapshot=False)


def plan_show(tokens, session, plan):
    name = name_of(tokens[1]) if len(tokens) > 1 else ""
    if name in OWN:
        return plan(f"SELECT {literal(session.settings.get(name, OWN[name]))}::text AS {quoted(name)}", tag="SHOW",
                    takes_snapshot=False)
    if name == "search_path":
        path = ", ".join(session.search_path)
        return plan(f"SELECT {literal('$user, ' + path)}::text AS search_path", tag="SHOW", takes_snapshot=False)
    if name == "server_version":
        return plan("SELECT '8.0.2'::text AS server_version", tag="SHOW", takes_snapshot=False)
    if name == "statement_timeout":
        return plan(f"SELECT {literal(session.settings.get(name, '0'))}::text AS statement_timeout", tag="SHOW",
                    takes_snapshot=False)
    if name not in SHARED:
        raise Refused(1, "42704", f'unrecognized configuration parameter "{name}"')
    return plan(render(tokens), takes_snapshot=False)


def plan_reset(tokens, session, plan):
    name = name_of(tokens[1]) if len(tokens) > 1 else ""
    if name in OWN:
        def drop():
            session.settings.pop(name, None)
            return "RESET"
        return plan(action=drop, takes_snapshot=False)
    if name == "search_path":
        return _set_path(session, plan, ["$user", "public"])
    if name == "statement_timeout":
        return _set_timeout(session, plan, ["0"])
    if name not in SHARED:
        raise Refused(1, "42704", f'unrecognized configuration parameter "{name}"')
    return plan(render(tokens), takes_snapshot=False)


def plan_maintenance(tokens, session, plan):
    """VACUUM and ANALYZE: nothing is to be done."""
    if tokens[0].word == "VACUUM" and session.state != b"I":
        raise Refused(48, "25001", "VACUUM cannot run inside a transaction block")

    def nothing():
        return tokens[0].word.replace("ANALYSE", "ANALYZE")
    return plan(action=nothing)


def plan_grant(tokens, session, plan):
    text = [token.word for token in tokens]
    if "EXTERNAL" in text and session.state != b"I":
        raise Refused(48, "25001", f"{tokens[0].word} on external resources cannot run inside a transaction block")
    if "ASSUMEROLE" in text:
        return plan(action=lambda: tokens[0].word)
    if "WITH" in text and "OPTION" in text and "GROUP" in text:
        raise syntax_error(51, tokens[-1])
    if late_views.names_one(tokens, session):
        return plan(action=lambda: tokens[0].word)
    translate(tokens, session, ddl=True)
    return plan(render(tokens))


def plan_cursor(tokens, session, plan):
    """DECLARE, FETCH, CLOSE, PREPARE, EXECUTE, EXPLAIN, COMMENT: as PostgreSQL has them."""
    translate(tokens, session, ddl=True)
    return plan(render(tokens))


def plan_deallocate(tokens, session, plan):
    if words(tokens, 1, "ALL") or words(tokens, 1, "PREPARE", "ALL"):
        raise Refused(5, "0A000", f'SQL command "{render(tokens)[:100]}" not supported.')
    return plan(render(tokens), takes_snapshot=False)


COMMANDS = {
    "BEGIN": plan_begin, "START": plan_begin, "COMMIT": plan_end, "END": plan_end, "ROLLBACK": plan_end,
    "ABORT": plan_end, "SET": plan_set, "SHOW": plan_show, "RESET": plan_reset, "VACUUM": plan_maintenance,
    "ANALYZE": plan_maintenance, "ANALYSE": plan_maintenance, "GRANT": plan_grant, "REVOKE": plan_grant,
    "DECLARE": plan_cursor, "FETCH": plan_cursor, "CLOSE": plan_cursor, "PREPARE": plan_cursor,
    "EXECUTE": plan_cursor, "EXPLAIN": plan_cursor, "COMMENT": plan_cursor, "DEALLOCATE": plan_deallocate,
}
