#!/usr/bin/python3
"""Goal: the script for a real cluster finds in a stand-in what the rules say, sees where one differs, and says when there
is no cluster."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from redshift import Standin  # noqa: E402
from s3_fake import S3Fake  # noqa: E402

ROLE = "arn:aws:iam::210987654321:role/another"


def run(target, s3, *more, query="sslmode=disable"):
    """(exit code, what it printed)"""
    keys = s3.credentials
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
                   "AWS_REGION": keys.region, "RE_DMS_CLUSTER_URL": f"{target.url}?{query}"}
    done = subprocess.run([sys.executable, HERE / "on_a_cluster.py", "--endpoint", s3.endpoint, "--bucket",
                           "s3://theirs/a prefix", "--iam-role", ROLE, *more],
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def row_of(printed, number):
    return next((line for line in printed.splitlines() if line.startswith(f"| {number} |")), "")


class OnAClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s3 = cls.enterClassContext(S3Fake(buckets=("theirs",)))

    def test_a_standin_holds_to_its_rules(self):
        with Standin(None, self.s3, "--iam-role", ROLE) as target:
            code, printed = run(target, self.s3)
            self.assertEqual(0, code, printed)
            self.assertGreater(printed.count(" | proven |"), 25, printed)
            self.assertNotIn("refuted", printed)
            self.assertIn("| assumed | proven |", row_of(printed, 24))
            code, printed = run(target, self.s3)
            self.assertEqual(1, code)
            self.assertIn("CREATE DATABASE", printed)

    def test_what_differs_is_shown(self):
        with Standin(None, self.s3, "--allow-endless", "--queries-in-using") as target:
            code, printed = run(target, self.s3, "--rule", "24", "--rule", "55", "--rule", "58", "--rule", "10")
        self.assertEqual(1, code, printed)
        for number, word in ((24, "refuted"), (55, "refuted"), (58, "proven"), (10, "not tried")):
            self.assertTrue(row_of(printed, number).endswith(f"| {word} |"), printed)
        self.assertIn("got no error", printed)

    def test_the_certificate_is_verified(self):
        with Standin(None, self.s3, tls=True) as target:
            code, printed = run(target, self.s3, "--rule", "58", query=f"sslrootcert={target.certificate}")
            self.assertEqual(0, code, printed)
            code, printed = run(target, self.s3, "--rule", "58", query="")
            self.assertIn("CERTIFICATE_VERIFY_FAILED", printed)

    def test_without_a_cluster_it_says_so(self):
        done = subprocess.run([sys.executable, HERE / "on_a_cluster.py"], stdout=subprocess.PIPE, text=True, check=False,
                              env={name: value for name, value in os.environ.items() if name != "RE_DMS_CLUSTER_URL"})
        self.assertEqual(77, done.returncode)
        self.assertIn("names no cluster", done.stdout)


if __name__ == "__main__":
    unittest.main()
