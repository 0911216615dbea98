"""The SQL that the daemon's sources have for Redshift, as patterns of shapes."""

import re
from collections import namedtuple

from shapes import shape

PARTS = r'(?:"(?:[^"\\]|\\.)*"|//[^\n]*|\s)+'
CALL = re.compile(rf"\bsql\(({PARTS})", re.S)
PART = re.compile(r'//[^\n]*|"((?:[^"\\]|\\.)*)"', re.S)
HOLE = "re_dms_hole"
# What a statement begins with; other texts are parts of some.
BEGINS = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|COPY|LOCK|BEGIN|COMMIT|ROLLBACK|SET)\b")

# Those that a run of the tests may do without.
SELDOM = {
    "SELECT format FROM re_dms_internal.source": "a DuckDB file was made by an earlier version",
    "SELECT pg_terminate_backend({})": "the network lost a session that holds a fence",
    "UPDATE re_dms_internal.loads SET visible_at = {} WHERE load <= {} AND visible_at IS NULL":
        "only a DuckDB file is seen later than it is loaded",
    "UPDATE re_dms_internal.tables SET position = {} WHERE source_oid IN ({})":
        "a table takes more than one batch to catch up",
}

Written = namedtuple("Written", "place text pattern")


def written(folder):
    """Those of FOLDER, src/warehouse, and its room redshift, without the tests."""
    found = []
    for path in sorted([*folder.glob("*.cc"), *(folder / "redshift").glob("*.cc")]):
        if path.name.endswith("_test.cc"):
            continue
        source = path.read_text(encoding="utf-8")
        for call in CALL.finditer(source):
            text = "".join(part.group(1) or "" for part in PART.finditer(call.group(1))).replace('\\"', '"')
            if BEGINS.match(text):
                line = source.count("\n", 0, call.start()) + 1
                found.append(Written(f"{path.name}:{line}", text, pattern(text)))
    return found


def sample(text):
    """A shape of TEXT, with a name in each hole."""
    return shape(re.sub(r"\{\w*\}", f" {HOLE} ", text))


def pattern(text):
    """Holes take any text, or none."""
    made = re.escape(sample(text))
    made = re.sub(rf"(?:\\ )?{HOLE}(?:\\ )?", "(?:.*)", made.replace(r"\.", r" ?\. ?"))
    return re.compile(made + "$", re.S)
