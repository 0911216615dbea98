"""MERGE, of which Redshift has little: both branches and no more, or REMOVE DUPLICATES."""

import dml
from expressions import translate
from relation import Relation, syntax_error
from tokens import closing, name_of, render, split_list, words
from wire import Refused


def plan_merge(tokens, session, plan):
    if not words(tokens, 1, "INTO"):
        raise syntax_error(52, tokens[1])
    target = Relation(tokens, 2, 52)
    at = target.after
    if not words(tokens, at, "USING"):  # an alias
        raise syntax_error(52, tokens[at] if at < len(tokens) else None)
    source_at = at + 1
    source_end, source = read_source(tokens, source_at, target)
    alias, at = read_alias(tokens, source_end)
    if not words(tokens, at, "ON"):
        raise syntax_error(52, tokens[at] if at < len(tokens) else None)
    actions = dml.top_level(tokens, at, "WHEN", "REMOVE")
    check_condition(tokens[at + 1 : actions])
    before = dml.visibility(tokens, session) + dml.locks(target, session)
    if words(tokens, actions, "REMOVE"):
        if not words(tokens, actions, "REMOVE", "DUPLICATES") or actions + 2 != len(tokens):
            raise syntax_error(54, tokens[-1])
        return plan_remove(tokens, session, plan, before, target, source, alias, (at, actions))
    check_actions(tokens, actions)
    translate(tokens, session)
    return plan(render(tokens), before=before)


def read_source(tokens, at, target):
    """(index after it, Relation or None for a query)."""
    if at < len(tokens) and tokens[at].text == "(":
        end = closing(tokens, at)
        if any(token.is_name and name_of(token) == target.name for token in tokens[at:end]):
            raise Refused(52, "0A000", "Source view/subquery in Merge statement cannot reference target table.")
        return end + 1, None
    source = Relation(tokens, at, 52)
    if (source.schema, source.name) == (target.schema, target.name):
        raise Refused(52, "0A000", "Source view/subquery in Merge statement cannot reference target table.")
    return source.after, source


def read_alias(tokens, at):
    if words(tokens, at, "AS"):
        at += 1
    if at < len(tokens) and tokens[at].is_name and tokens[at].word != "ON":
        return tokens[at], at + 1
    return None, at


def check_condition(tokens):
    """Equalities, joined by AND."""
    operators = [token for token in tokens if token.kind == "operator" and token.text not in ("=", "::", "||")]
    bad = operators + [token for token in tokens if token.word in ("OR", "NOT", "IN", "LIKE", "BETWEEN", "IS")]
    if bad or not any(token.text == "=" for token in tokens):
        raise Refused(52, "0A000", "MERGE ON condition supports equality predicates only")


def check_actions(tokens, at):
    seen = []
    while at < len(tokens):
        end = dml.top_level(tokens, at + 1, "WHEN")
        if words(tokens, at, "WHEN", "MATCHED", "THEN"):
            seen.append("MATCHED")
            check_matched(tokens[at + 3 : end])
        elif words(tokens, at, "WHEN", "NOT", "MATCHED", "THEN", "INSERT"):
            seen.append("NOT MATCHED")
        else:
            wrong = next((token for token in tokens[at:end] if token.word in ("AND", "DO", "BY")), tokens[at])
            raise syntax_error(52, wrong)
        at = end
    if seen != ["MATCHED", "NOT MATCHED"]:
        raise syntax_error(52, None)


def check_matched(tokens):
    if words(tokens, 0, "DELETE") and len(tokens) == 1:
        return
    if not words(tokens, 0, "UPDATE", "SET"):
        raise syntax_error(52, tokens[0] if tokens else None)
    for part in split_list(tokens[2:]):
        if len(part) < 3 or part[1].text != "=":
            raise syntax_error(52, part[1] if len(part) > 1 else None)


def plan_remove(tokens, session, plan, before, target, source, alias, condition):
    """The rows of the target that match go, all of the source come; the source keeps its duplicates."""
    if source is None:
        raise Refused(54, "0A000", "the stand-in knows REMOVE DUPLICATES from a table only")
    shapes = [session.ask("SELECT format_type(atttypid, atttypmod), attname FROM pg_attribute WHERE attrelid ="
                          f" {dml.literal(relation.sql(session))}::regclass AND attnum > 0 AND NOT attisdropped"
                          " ORDER BY attnum") for relation in (target, source)]
    if [row[0] for row in shapes[0]] != [row[0] for row in shapes[1]]:
        raise Refused(54, "42804", "MERGE REMOVE DUPLICATES requires source and target to have the same number of"
                      " columns, in the same order, of compatible types")
    begin, end = condition
    translate(tokens, session)
    named = f" AS {alias.out}" if alias else ""
    into, given = target.sql(session), source.sql(session)
    before.append(f"DELETE FROM {into} USING {given}{named} WHERE {render(tokens[begin + 1 : end])}")
    return plan(f"INSERT INTO {into} SELECT * FROM {given}", before=before, tag="MERGE")
