"""Two public parsers of Redshift's SQL, each asked the same: what a statement is to it."""

import contextlib
import io
import logging
import sys

# Debian's packages sqlfluff and python3-sqlglot; they are in no Python but Debian's.
try:
    import sqlglot
    import sqlglot.errors
    from sqlfluff.core import FluffConfig, Linter
except ImportError as error:
    sys.exit(f"{error}: run `make deps` (Debian's sqlfluff and python3-sqlglot), and this with /usr/bin/python3")

ACCEPTED, REFUSED, UNKNOWN = "accepts", "refuses", "does not know"


class Sqlglot:
    """It takes what it does not know for a command of some kind, or for an expression."""

    name = "sqlglot"

    def __init__(self):
        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

    def verdict(self, sql):
        """One of the above, and why."""
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                trees = sqlglot.parse(sql, read="redshift", error_level=sqlglot.errors.ErrorLevel.RAISE)
        except (sqlglot.errors.ParseError, ValueError) as error:
            return REFUSED, str(error).partition("\n")[0]
        if len(trees) != 1 or not is_statement(trees[0]):
            return UNKNOWN, type(trees[0]).__name__
        return ACCEPTED, ""


def is_statement(tree):
    known = sqlglot.expressions
    kinds = (known.Subqueryable, known.Insert, known.Update, known.Delete, known.Create, known.Drop, known.AlterTable,
             known.Transaction, known.Commit, known.Rollback)
    return isinstance(tree, kinds)


class Sqlfluff:
    """It marks what it cannot parse."""

    name = "sqlfluff"

    def __init__(self):
        self._linter = Linter(config=FluffConfig(overrides={"dialect": "redshift", "templater": "raw"}))

    def verdict(self, sql):
        parsed = self._linter.parse_string(sql)
        faults = [violation.desc() for violation in parsed.violations]
        return (REFUSED, faults[0][:300]) if faults or parsed.tree is None else (ACCEPTED, "")


def both():
    return [Sqlglot(), Sqlfluff()]
