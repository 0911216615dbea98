"""Reads as much C++ as tidy.py's rules need: includes, types, and where functions begin and end.

Comments and literals are blanked first, keeping every line in its place; then braces are followed.
This is no parser: it relies on code that compiles and that clang-format has laid out.
"""

import re
from collections import namedtuple

Function = namedtuple("Function", "name first last")

TOKEN = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/                                            # comments
    | R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"          # raw strings
    | "(?:\\.|[^"\\\n])*"                                             # strings
    | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'                             # characters, not 1'000
    | ^[ \t]*\#(?:\\\n|[^\n])*                                        # directives
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def blank(text):
    """TEXT with comments, literals and directives replaced by spaces; lines keep their numbers."""
    return TOKEN.sub(lambda token: re.sub(r"[^\n]", " ", token.group(0)), text)


def includes(text):
    """(line, path) of each include of TEXT."""
    for found in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^">]+)[">]', text, re.MULTILINE):
        yield text.count("\n", 0, found.start()) + 1, found.group(1)


def types(text):
    """(name, line) of each type that TEXT defines, aliases included."""
    code = blank(text)
    key = r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:\[\[[^\]]*\]\]\s*)?"
    definition = key + r"((?:\w+::)*\w+)(?:\s+final)?\s*(?:\{|:(?!:))"
    for found in re.finditer(definition + r"|\busing\s+(\w+)\s*=|\bconcept\s+(\w+)", code):
        name = next(group for group in found.groups() if group)
        yield name.split("::")[-1], code.count("\n", 0, found.start()) + 1


def without_template(head):
    """HEAD without a leading `template <…>`."""
    while True:
        found = re.match(r"\s*template\s*<", head)
        if not found:
            return head
        depth, end = 1, found.end()
        while end < len(head) and depth:
            depth += {"<": 1, ">": -1}.get(head[end], 0)
            end += 1
        head = head[end:]


def kind_of(head, after):
    """What a brace opens, by the text between the last statement and it and by what follows it."""
    head = without_template(head).strip()
    if re.match(r"(inline\s+)?namespace\b|extern\s*$", head) or not head:
        return "scope"
    key = re.search(r"\b(class|struct|union|enum)\b", head)
    if key and (key.start() == 0 or "(" not in head[key.end() :]):
        return "scope"
    if "(" not in head or after in (",", ";", ")", "{", "("):
        return "initializer"
    return "function"


def matching_braces(code):
    """Position of each opening brace → position of its closing one; None if they do not match."""
    pairs, open_braces = {}, []
    for found in re.finditer(r"[{}]", code):
        if found.group(0) == "{":
            open_braces.append(found.start())
        elif not open_braces:
            return None
        else:
            pairs[open_braces.pop()] = found.start()
    return None if open_braces else pairs


def name_of(head):
    head = without_template(head)
    operator = re.search(r"operator\s*(\(\)|\[\]|[^\s(]+(?:\s\w+)?)", head)
    if operator:
        return operator.group(0)
    found = re.search(r"(~?\w+)\s*\(", head)
    return found.group(1) if found else head.strip()


def functions(text):
    """Each function with a body at namespace or class scope; None if the braces do not match.

    A function's lines are those from its declaration (templates and attributes included) to its
    closing brace. Lambdas count as lines of the function they are in.
    """
    code = blank(text)
    pairs = matching_braces(code)
    if pairs is None:
        return None
    found = []
    begin = position = 0
    while position < len(code):
        character = code[position]
        if character in ";}":
            begin = position + 1
        elif character == ":" and re.search(r"\b(public|private|protected)\s*$", code[begin:position]):
            begin = position + 1
        elif character == "{":
            head, end = code[begin:position], pairs[position]
            kind = kind_of(head, code[end + 1 :].lstrip()[:1])
            if kind == "scope":
                begin = position + 1
            else:
                position = end
            if kind == "function":
                start = begin + len(head) - len(head.lstrip())
                first, last = code.count("\n", 0, start) + 1, code.count("\n", 0, end) + 1
                found.append(Function(name_of(head), first, last))
                begin = end + 1
        position += 1
    return found
