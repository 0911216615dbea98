"""What CREATE TABLE says of columns and of the table: read, checked, and written for PostgreSQL."""

from expressions import translate
from relation import Relation, syntax_error
from names import RESERVED, SYSTEM_COLUMNS
from redshift_types import NO_KEY, read_type
from tokens import closing, lower_ascii, name_of, render, split_list, words
from wire import Refused

ENCODINGS = {"raw", "az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32", "runlength",
             "text255", "text32k", "zstd", "auto"}
STYLES = {"AUTO", "EVEN", "KEY", "ALL"}
KEYS_MAX = {False: 400, True: 8}


class Table:
    """The columns and constraints of one CREATE TABLE."""

    def __init__(self):
        self.sql, self.types, self.parent, self.count = [], {}, None, 0
        self.distkey, self.sortkeys, self.encodings, self.identity, self.constraints = None, [], {}, [], []
        self.keys = set()


class Attributes:
    """What stands after the columns."""

    def __init__(self):
        self.diststyle, self.distkey, self.sortkeys = None, None, []
        self.interleaved, self.sort_auto, self.given = False, False, False

    def take(self, made):
        """Adds what the columns say, and checks it all."""
        self.distkey = self.distkey or made.distkey
        self.sortkeys = self.sortkeys or made.sortkeys
        if self.distkey and self.diststyle not in (None, "KEY"):
            raise Refused(49, "42601", "DISTKEY is only allowed with DISTSTYLE KEY")
        if self.diststyle == "KEY" and not self.distkey:
            raise Refused(49, "42601", "DISTSTYLE KEY requires a DISTKEY column")
        for name in [*self.sortkeys, *([self.distkey] if self.distkey else [])]:
            if made.parent is None and name not in made.types:
                raise Refused(41, "42703", f'column "{name}" named in key does not exist')
            if name in made.types and made.types[name].name in NO_KEY:
                raise Refused(41, "0A000", f'column "{name}" of type {made.types[name].name} cannot be a distribution'
                              " or sort key")
        if len(self.sortkeys) > KEYS_MAX[self.interleaved]:
            raise Refused(41, "54011", f"a table can have at most {KEYS_MAX[self.interleaved]} sort key columns")

    def memory(self, relation, made):
        constraints = []
        for kind, columns in made.constraints:
            suffix = "pkey" if kind == "PRIMARY KEY" else "key"
            middle = "" if kind == "PRIMARY KEY" else "_" + "_".join(columns)
            constraints.append({"name": f"{relation.name}{middle}_{suffix}", "kind": kind, "columns": columns})
        return {"diststyle": "KEY" if self.distkey else self.diststyle or "AUTO", "distkey": self.distkey,
                "sortkeys": self.sortkeys, "interleaved": self.interleaved,
                "sort_auto": not self.sortkeys, "encodings": made.encodings, "identity": made.identity,
                "constraints": constraints}


def table_attributes(tokens):
    found, at = Attributes(), 0
    while at < len(tokens):
        word = tokens[at].word
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        found.given = found.given or word not in ("BACKUP", "ENCODE")
        if word == "BACKUP" and following is not None and following.word in ("YES", "NO"):
            at += 2
        elif word == "ENCODE" and following is not None and following.word == "AUTO":
            at += 2
        elif word == "DISTSTYLE" and following is not None and following.word in STYLES:
            found.diststyle = following.word
            at += 2
        elif word == "DISTKEY" and following is not None and following.text == "(":
            names, at = name_list(tokens, at + 1)
            if len(names) != 1:
                raise syntax_error(41, following)
            found.distkey = names[0]
        elif word == "SORTKEY" and following is not None and following.word == "AUTO":
            found.sort_auto = True
            at += 2
        elif word in ("COMPOUND", "INTERLEAVED") and following is not None and following.word == "SORTKEY":
            found.interleaved = word == "INTERLEAVED"
            at += 1
        elif word == "SORTKEY" and following is not None and following.text == "(":
            found.sortkeys, at = name_list(tokens, at + 1)
        elif word in ("PARTITION", "INHERITS", "TABLESPACE", "WITH", "USING", "ON", "WITHOUT"):
            raise syntax_error(42, tokens[at])
        else:
            raise syntax_error(42, tokens[at])
    return found


def name_list(tokens, at):
    """The names between brackets at AT, and the index after."""
    if at >= len(tokens) or tokens[at].text != "(":
        raise syntax_error(42, tokens[at] if at < len(tokens) else None)
    end = closing(tokens, at)
    names = []
    for part in split_list(tokens[at + 1 : end]):
        if len(part) != 1 or not part[0].is_name:
            raise syntax_error(42, tokens[at])
        names.append(name_of(part[0]))
    return names, end + 1


def read_table(parts, session):
    made = Table()
    for part in parts:
        if not part:
            raise syntax_error(42, None)
        word = part[0].word
        if word == "LIKE":
            _read_like(part, made, session)
        elif word in ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT", "CHECK", "EXCLUDE"):
            _read_constraint(part, made)
        else:
            read_column(part, made, session)
    keys = [name for kind, names in made.constraints if kind == "PRIMARY KEY" for name in names]
    if len([kind for kind, _ in made.constraints if kind == "PRIMARY KEY"]) > 1:
        raise Refused(43, "42P16", "multiple primary keys for table are not allowed")
    for name in [name for _, names in made.constraints for name in names]:
        if name not in made.types and made.parent is None:
            raise Refused(43, "42703", f'column "{name}" named in key does not exist')
    made.sql = [text + (" NOT NULL" if name in keys and " NOT NULL" not in text else "") for name, text in made.sql]
    return made


def _read_like(part, made, session):
    made.parent = Relation(part, 1, 49)
    rest = [token.word for token in part[made.parent.after :]]
    if rest not in ([], ["INCLUDING", "DEFAULTS"], ["EXCLUDING", "DEFAULTS"]):
        raise syntax_error(49, part[made.parent.after])
    options = " INCLUDING DEFAULTS" if rest[:1] == ["INCLUDING"] else ""
    made.sql.append(("", f"LIKE {made.parent.sql(session)}{options}"))


def _read_constraint(part, made):
    at = 0
    if part[0].word == "CONSTRAINT":
        at = 2
    if words(part, at, "PRIMARY", "KEY"):
        names, after = name_list(part, at + 2)
        made.constraints.append(("PRIMARY KEY", names))
    elif words(part, at, "UNIQUE"):
        names, after = name_list(part, at + 1)
        made.constraints.append(("UNIQUE", names))
    elif words(part, at, "FOREIGN", "KEY"):
        _, after = name_list(part, at + 2)
        if not words(part, after, "REFERENCES"):
            raise syntax_error(42, part[-1])
        after = len(part)
    else:  # CHECK, EXCLUDE
        raise Refused(42, "0A000", "CHECK and EXCLUDE constraints are not supported")
    if after != len(part):
        raise syntax_error(42, part[after])


def check_name(token):
    """The name of a column that is created."""
    if token.kind == "name" and token.word in RESERVED:
        raise syntax_error(40, token)
    if not token.is_name:
        raise syntax_error(40, token)
    name = name_of(token)
    if name in SYSTEM_COLUMNS:
        raise Refused(39, "42701", f'column name "{name}" conflicts with a system column name')
    return name


def read_column(part, made, session):
    """One column: appended to made.sql as (name, definition)."""
    name = check_name(part[0])
    if name in made.types:
        raise Refused(38, "42701", f'column "{name}" specified more than once')
    kind, at = read_type(part, 1)
    made.types[name] = kind
    made.count += 1
    text = f"{session.server.names.quote(name)} {kind.postgres}"
    while at < len(part):
        addition, at = _column_attribute(part, at, name, made, session)
        text += addition
    made.sql.append((name, text))


def _column_attribute(part, at, name, made, session):
    """(SQL for PostgreSQL, index after) of one attribute."""
    word, following = part[at].word, part[at + 1].word if at + 1 < len(part) else ""
    if word == "NOT" and following == "NULL":
        return " NOT NULL", at + 2
    if word == "NULL":
        return "", at + 1
    if word == "DEFAULT":
        return _default(part, at, session)
    if word == "IDENTITY" or word == "GENERATED":
        return _identity(part, at, name, made)
    if word == "ENCODE":
        if lower_ascii(part[at + 1].text) not in ENCODINGS:
            raise Refused(42, "0A000", f'invalid encoding type specified for column "{name}"')
        made.encodings[name] = lower_ascii(part[at + 1].text)
        return "", at + 2
    if word == "DISTKEY":
        if made.distkey:
            raise Refused(41, "42601", "cannot have multiple DISTKEY columns")
        made.distkey = name
        return "", at + 1
    if word == "SORTKEY":
        made.sortkeys.append(name)
        return "", at + 1
    if word == "PRIMARY" and following == "KEY":
        made.constraints.append(("PRIMARY KEY", [name]))
        return "", at + 2
    if word == "UNIQUE":
        made.constraints.append(("UNIQUE", [name]))
        return "", at + 1
    if word == "REFERENCES":
        end = Relation(part, at + 1, 42).after
        return "", closing(part, end) + 1 if end < len(part) and part[end].text == "(" else end
    if word == "COLLATE" and following in ("CASE_SENSITIVE", "CASE_INSENSITIVE"):
        return "", at + 2
    if word == "CHECK":
        raise Refused(42, "0A000", "CHECK and EXCLUDE constraints are not supported")
    raise syntax_error(42, part[at])


def _default(part, at, session):
    end = at + 1
    while end < len(part) and (end == at + 1 or part[end].word not in (
            "NOT", "ENCODE", "DISTKEY", "SORTKEY", "PRIMARY", "UNIQUE", "REFERENCES", "COLLATE", "NULL")):
        end = closing(part, end) + 1 if part[end].text == "(" else end + 1
    expression = part[at + 1 : end]
    if not expression or any(token.is_name and token.word == "SELECT" for token in expression):
        raise syntax_error(42, part[at])
    translate(expression, session, ddl=True)
    return f" DEFAULT {render(expression)}", end


def _identity(part, at, name, made):
    if part[at].word == "GENERATED" and not words(part, at, "GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"):
        raise syntax_error(42, part[at])
    if part[at].word == "GENERATED":
        at += 4
    else:
        made.identity.append(name)
    values = [token.text for token in part[at + 2 : closing(part, at + 1)] if token.kind == "number"]
    if part[at + 1].text != "(" or len(values) != 2:
        raise syntax_error(42, part[at])
    return (f" GENERATED BY DEFAULT AS IDENTITY (START WITH {values[0]} INCREMENT BY {values[1]})",
            closing(part, at + 1) + 1)
