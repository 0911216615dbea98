#!/usr/bin/python3
"""Compares what the stand-in holds to with a real Redshift: runs the tests of its rules there, those that are documented
or assumed, and says of each rule whether it is so.

    export RE_DMS_CLUSTER_URL='redshift://user:password@host:5439/re_dms_rules'
    export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=eu-west-1
    on_a_cluster.py --bucket s3://BUCKET/PREFIX --iam-role ARN [--all] [--rule NUMBER]…

The database must be one without tables of its own: the tests make some, in schema public. Without RE_DMS_CLUSTER_URL it
says so and ends with 77. Ends with 1 where a rule is refuted.
"""

import argparse
import importlib
import os
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import sigv4  # noqa: E402
from case import StandinCase  # noqa: E402  (beside this file)
from real_cluster import Bucket, Cluster  # noqa: E402
from rules import PROVEN as KNOWN  # noqa: E402
from rules import RULES  # noqa: E402

SKIPPED = 77
SHOWN = 300
# Of failures on request, of names and of shapes: nothing that a cluster could be asked.
MODULES = ("connection", "copy_source", "copy_values", "ddl", "dml", "transactions", "types")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bucket", default=os.environ.get("RE_DMS_CLUSTER_BUCKET", ""), metavar="s3://BUCKET/PREFIX")
    parser.add_argument("--iam-role", default=os.environ.get("RE_DMS_CLUSTER_ROLE", ""), metavar="ARN")
    parser.add_argument("--endpoint", default="", metavar="URL", help="of a store other than AWS's")
    parser.add_argument("--all", action="store_true", help="rules too that others saw a cluster hold to")
    parser.add_argument("--rule", type=int, action="append", default=[], metavar="NUMBER", help="only this one")
    return parser.parse_args()


def open_cluster(url, options):
    environment = os.environ
    keys = sigv4.Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"],
                             environment.get("AWS_REGION", "us-east-1"), environment.get("AWS_SESSION_TOKEN"))
    cluster = Cluster(url, Bucket(options.bucket, keys, options.endpoint), options.iam_role)
    with cluster.connect() as session:
        tables = int(session.value("SELECT count(*) FROM svv_tables WHERE table_schema = 'public'"))
        if tables:
            sys.exit(f"schema public of {cluster.address.database} has {tables} tables: CREATE DATABASE re_dms_rules,"
                     " and name that one")
    return cluster


def wanted_rules(options):
    return {rule.number for rule in RULES
            if rule.number in options.rule or not options.rule and (
                options.all or rule.status != KNOWN or "assumed" in rule.source)}


def tests_of(wanted):
    """The tests of these rules, each with them: (test, numbers)."""
    found = []
    for name in MODULES:
        for case in vars(importlib.import_module(f"test_{name}")).values():
            if not (isinstance(case, type) and issubclass(case, StandinCase)) or case.switched:
                continue
            for method in unittest.defaultTestLoader.getTestCaseNames(case):
                numbers = set(getattr(getattr(case, method), "rules", ())) & wanted
                if numbers and (case, method) not in [(one, other) for one, other, _ in found]:
                    found.append((case, method, numbers))
    return found


class Findings(unittest.TestResult):
    """{test's id: (word, text)}"""

    def __init__(self):
        super().__init__()
        self.said = {}

    def startTest(self, test):
        super().startTest(test)
        print(f"  {test.id()}", file=sys.stderr, flush=True)

    def addSuccess(self, test):
        self.said[test.id()] = ("holds", "")

    def addSkip(self, test, reason):
        self.said[test.id()] = ("not tried", reason)

    def addFailure(self, test, err):
        self.said[test.id()] = ("differs", str(err[1]).partition("\n")[0])

    addError = addFailure


def run(cluster, tests):
    StandinCase.cluster = cluster
    findings = Findings()
    unittest.TestSuite(case(method) for case, method, _ in tests).run(findings)
    for one in cluster.differences:
        findings.said[one.test] = ("differs", "")
    return findings.said


def report(cluster, tests, said):
    """Prints the table, and below it what differs; the numbers of the rules that are refuted."""
    by_rule = {}
    for case, method, numbers in tests:
        for number in numbers:
            by_rule.setdefault(number, []).append(f"{case.__module__}.{case.__qualname__}.{method}")
    refuted = []
    print("| no. | what | so far | on this cluster |\n| --- | --- | --- | --- |")
    for rule in RULES:
        if rule.number not in by_rule:
            continue
        words = [said.get(name, ("not tried", ""))[0] for name in by_rule[rule.number]]
        word = "refuted" if "differs" in words else "proven" if set(words) == {"holds"} else (
            f"proven in part: {words.count('holds')} of {len(words)} tests could run" if "holds" in words else "not tried")
        refuted += [rule.number] if word == "refuted" else []
        print(f"| {rule.number} | {rule.text} | {rule.status} | {word} |")
    for number in refuted:
        print(f"\nRule {number}:")
        for name in by_rule[number]:
            if said[name][1]:
                print(f"  {name}: {said[name][1][:SHOWN]}")
            for one in cluster.differences:
                if one.test == name:
                    print(f"  {one.sql[:SHOWN]}\n    wanted {one.wanted}, got {one.got[:SHOWN]}")
    return refuted


def main():
    options = arguments()
    url = os.environ.get("RE_DMS_CLUSTER_URL", "")
    if not url:
        print("skipped: RE_DMS_CLUSTER_URL names no cluster (docs/redshift.md says how to try one)")
        sys.exit(SKIPPED)
    if not (options.bucket and options.iam_role):
        sys.exit("--bucket and --iam-role are needed: COPY reads there")
    cluster = open_cluster(url, options)
    tests = tests_of(wanted_rules(options))
    refuted = report(cluster, tests, run(cluster, tests))
    sys.exit(1 if refuted else 0)


if __name__ == "__main__":
    main()
