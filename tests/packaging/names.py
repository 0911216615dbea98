#!/usr/bin/python3
"""Goal: the unit, the purge of the package, the role of Ansible and docs/operations.md name the same credentials."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where the names stand: (file, what surrounds the list, a name in it).
PLACES = [
    ("deploy/systemd/re_dms.service.in", r"(.*)", r"^LoadCredential=(\w+):@RE_DMS_NAME@\.\1$"),
    ("deploy/debian/postrm", r"for credential in ([\w ]+); do", r"\b\w+\b"),
    ("deploy/ansible/roles/re_dms/vars/main.yml", r"re_dms_unit_credentials:\n((?:  - \w+\n)+)", r"(?<=- )\w+"),
    ("docs/operations.md", r"\n\| name \| for \|\n((?:\|.*\n)+)", r"(?<=`)\w+(?=`(?:, `\w+`)* \|)"),
]


def names(path, around, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    found = re.search(around, text, re.S if around == r"(.*)" else 0)
    return set(re.findall(name, found[1], re.M)) if found else set()


def main():
    found = {path: names(path, around, name) for path, around, name in PLACES}
    unit = found[PLACES[0][0]]
    wrong = [f"{path} names {sorted(each)}, the unit {sorted(unit)}" for path, each in found.items() if each != unit]
    print("\n".join(wrong) or f"credentials everywhere: {', '.join(sorted(unit))}")
    sys.exit(1 if wrong or not unit else 0)


main()
