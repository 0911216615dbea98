"""A table's or view's name in a statement."""

from tokens import name_of
from wire import Refused


def syntax_error(rule, token):
    return Refused(rule, "42601", f'syntax error at or near "{token.text if token else ";"}"')


class Relation:
    """A table's name as written: `schema` (None without one) and `name`; `after`: the index after it."""

    def __init__(self, tokens, at, rule=51):
        parts = []
        while True:
            if at >= len(tokens) or not tokens[at].is_name or tokens[at].word == "ONLY":
                raise syntax_error(rule, tokens[at] if at < len(tokens) else None)
            parts.append(name_of(tokens[at]))
            at += 1
            if at >= len(tokens) or tokens[at].text != ".":
                break
            at += 1
        self.name, self.schema, self.after = parts[-1], parts[-2] if len(parts) > 1 else None, at

    def sql(self, session):
        return session.server.names.quote(self.schema, self.name)
