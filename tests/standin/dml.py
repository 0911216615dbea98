"""INSERT, UPDATE, DELETE, TRUNCATE, LOCK."""

from expressions import translate
from relation import Relation, syntax_error
from tokens import closing, literal, name_of, render, split_list, words
from wire import Refused

WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE")


def top_level(tokens, at, *wanted):
    """The index of the first of the keywords WANTED outside brackets from AT on, or the end."""
    while at < len(tokens):
        if tokens[at].word in wanted:
            return at
        at = closing(tokens, at) + 1 if tokens[at].text == "(" else at + 1
    return len(tokens)


def check_with(tokens):
    """No INSERT, UPDATE or DELETE inside WITH."""
    for at, token in enumerate(tokens[:-1]):
        if token.text == "(" and tokens[at + 1].word in ("INSERT", "UPDATE", "DELETE", "MERGE"):
            raise syntax_error(51, tokens[at + 1])


def visibility(tokens, session):
    """What takes the transaction's snapshot, and fails if a table is younger than it."""
    if session.state != b"T":
        return []
    if not session.snapshot:
        return ["SELECT 1"]
    names = []
    for at, token in enumerate(tokens):
        if token.word in ("FROM", "JOIN", "INTO", "UPDATE", "USING") and at + 1 < len(tokens) \
                and tokens[at + 1].is_name:
            try:
                names.append(Relation(tokens, at + 1).sql(session))
            except Refused:
                pass
    return check_visible(names)


def check_visible(names):
    listed = ", ".join(literal(name) for name in names)
    return [f"SELECT redshift.check_visible(ARRAY[{listed}]::text[])"]


def locks(relation, session):
    """Writers that change rows of one table wait for each other, and for those that add to it."""
    if not session.options.table_locks:
        return []
    return [f"LOCK TABLE {relation.sql(session)} IN SHARE ROW EXCLUSIVE MODE"]


def plan_insert(tokens, session, plan):
    if not words(tokens, 1, "INTO"):
        raise syntax_error(51, tokens[1] if len(tokens) > 1 else None)
    relation = Relation(tokens, 2)
    at = relation.after
    check_with(tokens[at + 1 :])
    if at < len(tokens) and tokens[at].text == "(" and not words(tokens, at + 1, "SELECT"):
        at = closing(tokens, at) + 1
    if at < len(tokens) and tokens[at].word == "VALUES":
        rows = split_list(tokens[at + 1 :])
        if len(rows) > 1 and any(token.word == "SELECT" for token in tokens[at:]):
            raise Refused(51, "0A000", "multi-row VALUES lists cannot contain subqueries")
    elif at < len(tokens) and tokens[at].word not in ("SELECT", "WITH", "DEFAULT", "("):
        raise syntax_error(51, tokens[at])
    before = visibility(tokens, session)
    translate(tokens, session)
    return plan(render(tokens), before=before)


def plan_update(tokens, session, plan):
    relation = Relation(tokens, 1, 55)
    begin = top_level(tokens, relation.after, "SET")
    if begin - relation.after > 2 or begin == len(tokens):
        raise syntax_error(55, tokens[min(relation.after, len(tokens) - 1)])
    source = top_level(tokens, begin, "FROM", "WHERE")
    where = top_level(tokens, source, "WHERE")
    for part in split_list(tokens[begin + 1 : source]):
        if len(part) < 3 or part[1].text != "=":
            # Columns to be set stand alone: neither qualified nor in brackets.
            raise syntax_error(55, part[1] if len(part) > 1 else tokens[begin])
    check_outer_join(tokens, source, where, relation)
    if session.state == b"T":
        session.updated.add(relation.sql(session))
    before = visibility(tokens, session) + locks(relation, session)
    translate(tokens, session)
    if session.settings.get("error_on_nondeterministic_update") == "on" and words(tokens, source, "FROM"):
        before.append(check_matches(tokens, relation, begin, source, where, session))
    return plan(render(tokens), before=before)


def check_outer_join(tokens, source, where, relation):
    names = [name_of(token) for token in tokens[source:where] if token.is_name]
    if {"left", "right", "full"} & set(names) and relation.name in names:
        raise Refused(55, "0A000", "Target table must be part of an equijoin predicate")


def check_matches(tokens, relation, begin, source, where, session):
    """SQL that fails when a row of the target has several to be updated from."""
    alias = tokens[begin - 1].out if begin > relation.after else relation.sql(session)
    target = relation.sql(session) + (f" AS {alias}" if begin > relation.after else "")
    sources, condition = render(tokens[source + 1 : where]), render(tokens[where:])
    return (f"SELECT redshift.check_single((SELECT count(*) FROM (SELECT 1 FROM {target}, {sources} {condition}"
            f" GROUP BY {alias}.ctid HAVING count(*) > 1) AS several))")


def plan_delete(tokens, session, plan):
    has_from = words(tokens, 1, "FROM")
    relation = Relation(tokens, 2 if has_from else 1, 55)
    at = relation.after
    if at < len(tokens):
        if tokens[at].word == "USING" and not has_from or tokens[at].word not in ("USING", "WHERE"):
            raise syntax_error(55, tokens[at])
        if tokens[at].word == "USING" and session.options.refuse_queries_in_using:
            for part in split_list(tokens[at + 1 : top_level(tokens, at, "WHERE")]):
                if part and part[0].text == "(":
                    raise syntax_error(55, part[0])
    before = visibility(tokens, session) + locks(relation, session)
    translate(tokens, session)
    if not has_from:
        tokens[0].out = "DELETE FROM"
    return plan(render(tokens), before=before)


def plan_truncate(tokens, session, plan):
    relation = Relation(tokens, 2 if words(tokens, 1, "TABLE") else 1)
    if relation.after != len(tokens):
        raise syntax_error(57, tokens[relation.after])
    # It commits what the transaction has done, and itself.
    return plan(f"TRUNCATE TABLE {relation.sql(session)}", after=["COMMIT"] if session.state == b"T" else [])


def plan_lock(tokens, session, plan):
    at, names = 2 if words(tokens, 1, "TABLE") else 1, []
    while True:
        relation = Relation(tokens, at, 59)
        names.append(relation.sql(session))
        at = relation.after
        if at == len(tokens):
            break
        if tokens[at].text != ",":
            raise syntax_error(59, tokens[at])
        at += 1
    before = check_visible(names) if session.snapshot else []
    # A function that reads no table: the snapshot is not to be taken yet.
    return plan(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE", before=before, takes_snapshot=False)
