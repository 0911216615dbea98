"""SQL as tokens: what is checked and rewritten is one token at a time, the text between stays.

Redshift reads backslashes in ordinary literals as escapes, which decides where a literal ends.
"""

import re

SPACE = r"(?:\s|--[^\n]*|/\*.*?\*/)*"
PATTERN = re.compile(
    r"(?P<name>[A-Za-z_\u0080-\uffff#][\w$#\u0080-\uffff]*)"
    r'|(?P<quoted>"(?:[^"]|"")*")'
    r"|(?P<string>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<parameter>\$\d+)"
    r"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<operator>::|[-+*/<>=~!@#%^&|`?]+|:)"
    r"|(?P<mark>[(),;.\[\]{}])"
    r"|(?P<other>.)", re.S)
GAP = re.compile(SPACE, re.S)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# As UTF-8 bytes; PostgreSQL lets none be longer than 63.
NAME_BYTES = 127


class Token:
    """`text` as written, `out` as it goes to PostgreSQL, `gap` what stands before it."""

    __slots__ = ("kind", "text", "out", "gap", "word", "start")

    def __init__(self, kind, text, gap, start):
        self.kind, self.text, self.out, self.gap, self.start = kind, text, text, gap, start
        self.word = text.upper() if kind in ("name", "mark", "operator") else ""

    def __repr__(self):
        return self.text

    @property
    def is_name(self):
        return self.kind in ("name", "quoted")


def tokenize(sql):
    """The tokens of SQL; comments are gaps."""
    tokens, at = [], 0
    while True:
        gap = GAP.match(sql, at)
        at = gap.end()
        if at == len(sql):
            return tokens
        found = PATTERN.match(sql, at)
        kind = "dollar" if found.group("dollar") else found.lastgroup
        text = found.group(0)
        if kind == "operator":
            text = whole_operator(text)
        tokens.append(Token(kind, text, " " if gap.group(0) else "", at))
        at += len(text)


def whole_operator(text):
    """What of a run of operator characters is one operator: none holds a comment, and of plain ones a sign
    at the end belongs to what follows."""
    for mark in ("--", "/*"):
        if mark in text[1:]:
            text = text[: text.index(mark, 1)]
    while len(text) > 1 and text[-1] in "+-" and not set(text) & set("~!@#%^&|`?"):
        text = text[:-1]
    return text


def split(tokens):
    """The statements: lists of tokens without the semicolons."""
    statements, statement, depth = [], [], 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if token.kind == "mark" and token.text == ";":
            statements.append(statement)
            statement = []
        else:
            statement.append(token)
    return [one for one in [*statements, statement] if one]


def render(tokens):
    return "".join(token.gap + token.out for token in tokens).strip()


def replace(tokens, first, last, text):
    """Tokens FIRST to LAST (excluded) become TEXT."""
    tokens[first].out = text
    tokens[first].gap = tokens[first].gap or " "
    for token in tokens[first + 1 : last]:
        token.out = ""


def cut_bytes(text, most):
    """The beginning of TEXT that has at most MOST bytes in UTF-8, whole characters only."""
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= most else data[:most].decode("utf-8", "ignore")


def lower_ascii(text):
    return re.sub("[A-Z]+", lambda found: found.group(0).lower(), text)


def name_of(token, keep_case=False):
    """The name an identifier stands for: lower case even in quotes, cut at 127 bytes."""
    text = token.text[1:-1].replace('""', '"') if token.kind == "quoted" else lower_ascii(token.text)
    return cut_bytes(text if keep_case else lower_ascii(text), NAME_BYTES)


def string_of(token):
    """The value of an ordinary literal, whose backslashes are escapes."""
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found.group(1), found.group(1)), raw_string(token),
                  flags=re.S)


def raw_string(token):
    """The value of a literal that COPY reads as it is."""
    return token.text[1:-1].replace("''", "'")


def literal(text):
    """TEXT as a literal for a session without standard_conforming_strings."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def closing(tokens, at):
    """The index of the bracket that closes the one at AT, or the end."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0) if tokens[index].kind == "mark" else 0
        if depth == 0:
            return index
    return len(tokens)


def words(tokens, at, *wanted):
    """Whether the keywords WANTED stand at AT."""
    return [token.word for token in tokens[at : at + len(wanted)]] == list(wanted)


def split_list(tokens):
    """The parts between the commas outside brackets."""
    parts, part, depth = [], [], 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if token.text == "," and token.kind == "mark" and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(token)
    return [*parts, part]
