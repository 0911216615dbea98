#!/usr/bin/python3
"""Goal: every kind of statement that the daemon sends to Redshift parses in two independent parsers, and every one that
its sources have is among them.

    statements_parse.py FOLDER    the files that the tests into the stand-in left there (RE_DMS_STATEMENTS); they are
                                  taken away, so that the next run has its own
"""

import json
import sys
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
from parser_faults import FAULTS, faults_of  # noqa: E402  (beside this file)
from parsers import ACCEPTED, REFUSED, both  # noqa: E402
from written_statements import SELDOM, sample, written  # noqa: E402

SHOWN = 400
# So that a parser that takes everything does not pass.
NONSENSE = ['SELECT FROM FROM "x"', 'CREATE TABLE "x" ("x" integer', 'DELETE FROM "x" WHERE', "SELECT (1"]


def gathered(folder):
    """{shape: the tests that sent it}"""
    found = {}
    for file in sorted(folder.glob("*.json")):
        for shape in json.loads(file.read_text(encoding="utf-8")):
            found.setdefault(shape, set()).add(file.name.partition(".")[0])
        file.unlink()
    return found


def parsed(shapes, parsers):
    """What is wrong, one text each, and how many of each verdict there are."""
    wrong, used, counts = [], set(), Counter()
    for shape in sorted(shapes):
        verdicts = {parser.name: parser.verdict(shape) for parser in parsers}
        for name, (verdict, why) in verdicts.items():
            counts[name, verdict] += 1
            known = faults_of(name, verdict, shape)
            used |= set(known)
            if verdict != ACCEPTED and not known:
                wrong.append(f"{name} {verdict}: {shape[:SHOWN]}\n    {why}")
        if ACCEPTED not in [verdict for verdict, _ in verdicts.values()]:
            wrong.append(f"neither parser takes it: {shape[:SHOWN]}")
    wrong += [f"parser_faults.py has what does not occur: {fault}" for fault in FAULTS if fault not in used]
    return wrong, counts


def unsent(shapes, statements):
    """What the sources have and nobody sent."""
    wrong = [f"no test sends what {one.place} has: {one.text[:SHOWN]}" for one in statements
             if one.text not in SELDOM and not any(one.pattern.match(shape) for shape in shapes)]
    texts = {one.text for one in statements}
    return wrong + [f"SELDOM has what the sources lack: {text}" for text in SELDOM if text not in texts]


def main(folder):
    found, parsers = gathered(Path(folder)), both()
    if not found:
        sys.exit(f"no statements in {folder}: run the tests into the stand-in with RE_DMS_STATEMENTS={folder}")
    wrong = [f"{parser.name} takes nonsense: {sql}" for parser in parsers for sql in NONSENSE
             if parser.verdict(sql)[0] != REFUSED]
    statements = written(HERE.parents[1] / "src" / "warehouse")
    differences, counts = parsed({*found, *map(sample, SELDOM)}, parsers)
    wrong += differences + unsent(found, statements)
    for (parser, verdict), number in sorted(counts.items()):
        print(f"{parser} {verdict}: {number}")
    print(f"{len(found)} kinds of statements, of {len(set().union(*found.values()))} tests,"
          f" and {len(statements)} in the sources")
    if wrong:
        sys.exit("\n".join(wrong))


main(*sys.argv[1:])
