"""The shape of a statement: its text with every quoted name as "x", every literal as 'x', every number as 1, numbers in
plain names as 1, and of equal parts of a list at most three. Statements of one shape are one to a parser of SQL."""

import re

from tokens import tokenize

ALIKE_MOST = 3


def shape(sql):
    """The shape of SQL: its tokens, a blank between each two but for those that belong together."""
    return text_of(thinned([plain(token) for token in tokenize(sql) if token.text != ";"]))


def plain(token):
    if token.kind == "quoted":
        return '"x"'
    if token.kind in ("string", "dollar"):
        return "'x'"
    if token.kind == "number":
        return "1"
    return re.sub(r"\d+", "1", token.text) if token.kind == "name" else token.text


def thinned(words):
    """WORDS without the fourth and later of equal parts between commas, at every depth of brackets."""
    parts, part, at = [], [], 0
    while at < len(words):
        word = words[at]
        if word == "(":
            end = closing(words, at)
            part += ["(", *thinned(words[at + 1:end]), ")"]
            at = end
        elif word == ",":
            parts.append(part)
            part = []
        else:
            part.append(word)
        at += 1
    parts.append(part)
    return [word for number, one in enumerate(kept(parts)) for word in ([",", *one] if number else one)]


def kept(parts):
    """The first and the last have with them what stands around the list."""
    seen, found = [], []
    for number, part in enumerate(parts):
        alike = seen.count(part) + (parts[0][-len(part):] == part) + (parts[-1][: len(part)] == part)
        if number in (0, len(parts) - 1) or alike < ALIKE_MOST:
            found.append(part)
            seen += [part] if number else []
    return found


def closing(words, at):
    """The index of the bracket that closes the one at AT."""
    depth = 0
    for index in range(at, len(words)):
        depth += {"(": 1, ")": -1}.get(words[index], 0)
        if depth == 0:
            return index
    return len(words)


def text_of(words):
    text = " ".join(words)
    return re.sub(r" ?(\.|::) ?", r"\1", re.sub(r"(?<=\() | (?=[,)])", "", text))
