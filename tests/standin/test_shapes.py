#!/usr/bin/python3
"""Goal: statements that differ only in names, values and lengths of lists have one shape, all others have several."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from shapes import shape  # noqa: E402


class ShapesTest(unittest.TestCase):
    def test_names_values_and_lengths_do_not_count(self):
        for one, other, wanted in (
                ('SELECT "a", "b""c", "d" FROM "s"."t"', 'select "one", "two", "three", "four", "five" FROM "x"."y"', None),
                ("SELECT 'it''s \\' one', 12.5e3", "SELECT '', 0", "SELECT 'x', 1"),
                ("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', NULL), (3, '', NULL)",
                 "INSERT INTO t VALUES" + ",".join(["(1, 'a', NULL)"] * 9), "INSERT INTO t VALUES" + ",".join([" (1, 'x', NULL)"] * 3)),
                ("COPY re_dms_staged17 (c1, c2, c3, c4) FROM 's3://a'", "COPY re_dms_staged2 (c9, c2, c3) FROM ''",
                 "COPY re_dms_staged1 (c1, c1, c1) FROM 'x'"),
                ("SELECT a  -- why\n FROM t;", "SELECT a FROM t", "SELECT a FROM t")):
            if wanted:
                self.assertEqual(wanted, shape(one))
            self.assertEqual(shape(one).lower(), shape(other).lower())

    def test_other_statements_have_other_shapes(self):
        statements = ['SELECT "a" FROM "t"', 'SELECT "a", "b" FROM "t"', 'SELECT "a" AS "b" FROM "t"',
                      'SELECT "a" FROM "s"."t"', "SELECT 'a' FROM \"t\"", "SELECT a FROM b", "SELECT a FROM c",
                      "SELECT f(a, b) FROM b", "SELECT f(a) FROM b", "SELECT a IN (1, 2) FROM b", "SELECT a = 1 FROM b"]
        self.assertEqual(len(statements), len(set(map(shape, statements))))

    def test_a_shape_is_its_own_shape(self):
        for sql in ('CREATE TABLE "a"."b" (c int, d numeric(10,2), e numeric(3,1)) DISTKEY (c)',
                    "SELECT a::varchar(3), b.c FROM d WHERE e IN (1, 2, 3) AND (f OR g)"):
            self.assertEqual(shape(sql), shape(shape(sql)))


if __name__ == "__main__":
    unittest.main()
