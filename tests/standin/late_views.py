"""Views WITH NO SCHEMA BINDING: a text that is read when the view is, whatever has become of its tables.

PostgreSQL has none: each query has the view's text put in its place.
"""

from tokens import literal, name_of, quoted, render, tokenize
from wire import Refused


def place(relation, session):
    """(schema, name) of a view; without a schema the first of the search path counts."""
    return relation.schema or session.search_path[0], relation.name


def plan_create(relation, tokens, replace, session, plan):
    """TOKENS: from AS on."""
    schema, name = place(relation, session)
    check_qualified(tokens)
    session.server.late_views.add((schema, name))
    values = ", ".join(map(literal, (schema, name, render(tokens[1:]))))
    # Nothing is looked up: the tables need not be there.
    return plan(f"SELECT redshift.keep_late_view({values}, {str(replace).lower()})", tag="CREATE VIEW")


def check_qualified(tokens):
    """Its tables are named with their schemas."""
    for at, token in enumerate(tokens[:-1]):
        if token.word in ("FROM", "JOIN") and tokens[at + 1].is_name \
                and (at + 2 == len(tokens) or tokens[at + 2].text != "."):
            raise Refused(42, "0A000", "All the relation names inside should be qualified when creating VIEW WITH NO"
                          " SCHEMA BINDING.")


def find(relation, session):
    """The view's text, or None."""
    schema, name = place(relation, session)
    if (schema, name) not in session.server.late_views or session.state == b"E":
        return None
    rows = session.ask(f"SELECT sql FROM redshift.late_views WHERE schema = {literal(schema)} AND name ="
                       f" {literal(name)}")
    return rows[0][0] if rows else None


def expand(tokens, session, read, translate):
    """Puts texts in the place of views. READ: reads a relation's name (dml.Relation)."""
    if not session.server.late_views:
        return
    for at in range(len(tokens) - 1):
        if tokens[at].word not in ("FROM", "JOIN", ",") or not tokens[at + 1].is_name:
            continue
        try:
            relation = read(tokens, at + 1)
        except Refused:
            continue
        # Between commas there are columns as well.
        text = None if tokens[at].word == "," and not relation.schema else find(relation, session)
        if text is None:
            continue
        if place(relation, session) in session.expanding:
            raise Refused(42, "42P17", f'infinite recursion detected in rules for relation "{relation.name}"')
        inner = tokenize(text)
        session.expanding.append(place(relation, session))
        try:
            translate(inner, session)
        finally:
            session.expanding.pop()
        tokens[at + 1].out, tokens[at + 1].gap = f"({render(inner)})", " "
        for token in tokens[at + 2 : relation.after]:
            token.out = ""
        if not has_alias(tokens, relation.after):
            tokens[at + 1].out += f" AS {quoted(session.server.names.short(relation.name))}"


def has_alias(tokens, at):
    if at >= len(tokens):
        return False
    if tokens[at].word == "AS":
        return True
    return tokens[at].kind == "quoted" or tokens[at].kind == "name" and tokens[at].word not in (
        "WHERE", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER",
        "HAVING",
        "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "MINUS", "QUALIFY", "WITH", "SET", "FETCH", "FOR", "WHEN")


def plan_drop(relation, session, plan):
    """The Plan, or None when the view is not such a one."""
    if find(relation, session) is None:
        return None
    schema, name = place(relation, session)
    return plan(f"SELECT redshift.forget_late_view({literal(schema)}, {literal(name)})", tag="DROP VIEW")


def names_one(tokens, session):
    """Whether GRANT or REVOKE is about such a view: rights on them are not imitated."""
    listed = {name for _, name in session.server.late_views}
    return any(token.is_name and name_of(token) in listed for token in tokens)
