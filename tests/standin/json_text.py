"""JSON that SUPER takes: no key twice, not too deep, no text too long; and what becomes of its numbers."""

import json
import re
import sys

DEPTH_MAX = 1000
DECIMAL_DIGITS = 38
# Strings too, so that numbers in them are passed over.
NUMBERS = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
ODD_NUMBER = re.compile(r"\d[eE]|[\d.]{%d}" % (DECIMAL_DIGITS + 1))
SUPER_BYTES = 16 << 20
sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))


def _unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate keys")
    return found


def _refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def depth(text):
    """How deep brackets are nested outside strings."""
    level = deepest = 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        deepest = max(deepest, level)
    return deepest


def _check_texts(value, most):
    if isinstance(value, str):
        data = value.encode()  # A lone surrogate is refused.
        if len(data) > most:
            raise ValueError(f"a text of {len(data)} bytes, at most {most}")
        if "\0" in value:
            raise ValueError("\\u0000 in a text")
    elif isinstance(value, dict):
        for key, one in value.items():
            _check_texts(key, most)
            _check_texts(one, most)
    elif isinstance(value, list):
        for one in value:
            _check_texts(one, most)


def _as_kept(match):
    """A number as a decimal, else as the nearest double."""
    token = match.group()
    if token[0] == '"' or "e" not in token.lower() and sum(map(str.isdigit, token)) <= DECIMAL_DIGITS:
        return token
    value = float(token)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number beyond those of a double")
    return repr(value)


def checked(text, text_bytes, dedup=False):
    """TEXT as SUPER keeps it, or ValueError."""
    if len(text) > SUPER_BYTES:
        raise ValueError("longer than 16 MB")
    if text.count("[") + text.count("{") > DEPTH_MAX and depth(text) > DEPTH_MAX:
        raise ValueError(f"deeper than {DEPTH_MAX}")
    try:
        value = json.loads(text, object_pairs_hook=None if dedup else _unique, parse_constant=_refuse_constant)
        # Escapes may stand for anything; without them, short text holds no long one.
        if "\\" in text or len(text) * 4 > text_bytes or not text.isascii():
            _check_texts(value, text_bytes)
    except RecursionError:
        raise ValueError("too deep") from None
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate") from None
    return NUMBERS.sub(_as_kept, text) if ODD_NUMBER.search(text) else text
