"""What a parser does not take although Redshift does, by the shape of the statement. WHY: the page of the Redshift
developer guide that has it."""

import re
from collections import namedtuple

from parsers import REFUSED, UNKNOWN

Fault = namedtuple("Fault", "parser verdict pattern why")

FAULTS = [
    Fault("sqlglot", UNKNOWN, "BEGIN$", "BEGIN"),
    Fault("sqlglot", UNKNOWN, "COPY ", "COPY"),
    Fault("sqlglot", UNKNOWN, "SET enable_", "SET"),
    Fault("sqlglot", UNKNOWN, "GRANT ", "GRANT"),
    Fault("sqlglot", REFUSED, "LOCK ", "LOCK"),
    Fault("sqlglot", REFUSED, "CREATE TABLE .* DISTSTYLE AUTO SORTKEY AUTO$", "CREATE TABLE"),
]


def faults_of(parser, verdict, shape):
    return [fault for fault in FAULTS
            if (fault.parser, fault.verdict) == (parser, verdict) and re.match(fault.pattern, shape)]
