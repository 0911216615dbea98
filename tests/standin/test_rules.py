#!/usr/bin/python3
"""Goal: every rule has a test, every rule that is named exists, and the document says what rules.py says."""

import importlib
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import rules  # noqa: E402

COUNT = 63
# What is refused because the stand-in cannot imitate it, rather than Redshift.
OWN = 0


class RulesTest(unittest.TestCase):
    def test_every_rule_is_there_once(self):
        self.assertEqual(list(range(1, COUNT + 1)), [rule.number for rule in rules.RULES])
        for rule in rules.RULES:
            self.assertTrue(rule.source and rule.text, rule)
            self.assertIn(rule.status, (rules.DOCUMENTED, rules.PROVEN, rules.ASSUMED))

    def test_every_rule_has_a_test(self):
        tested = set()
        for path in HERE.glob("test_*.py"):
            module = importlib.import_module(path.stem)
            for case in vars(module).values():
                if isinstance(case, type) and issubclass(case, unittest.TestCase):
                    for test in vars(case).values():
                        tested |= set(getattr(test, "rules", ()))
        self.assertEqual(set(range(1, COUNT + 1)), tested)

    def test_every_rule_that_is_named_exists(self):
        named = set()
        for path in HERE.glob("*.py"):
            text = path.read_text(encoding="utf-8")
            named |= set(re.findall(r"(?:Refused|syntax_error|s3_error)\((\d+),", text))
            named |= set(re.findall(r"rule=(\d+)", text))
        self.assertLessEqual(set(map(int, named)), set(range(OWN, COUNT + 1)))

    def test_the_document_is_made_from_the_rules(self):
        self.assertEqual(rules.document(), rules.DOCUMENT.read_text(encoding="utf-8"),
                         "run tests/standin/rules.py > docs/redshift_standin.md")


if __name__ == "__main__":
    unittest.main()
