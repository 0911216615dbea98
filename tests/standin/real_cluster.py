"""A real Redshift with a real bucket in the place of the stand-in and its S3 server, for the tests of the rules.

What it lacks (failures on request, other users, switches) ends the test that asks for it as one that cannot be tried.
A statement that is not refused as it should be is written down, and the test goes on.
"""

import itertools
import json
import re
import ssl
import unittest
import urllib.request
from collections import namedtuple
from urllib.parse import parse_qs, quote, urlsplit

import sigv4
from case import ROLE
from wire import SqlError
from wire_client import Address, WireClient

TEST_BUCKET, TEST_ROLE = "s3://bucket/", ROLE.split("'")[1]
# What tests create that should be refused: it must not be in the way of the next.
LEFT = re.compile(r"(?i)CREATE (?:TEMP )?(TABLE|VIEW|SCHEMA) (\w+)")

STANDINS_OWN = 0
NO_ERROR = SqlError({"S": "ERROR", "C": "00000", "M": "no error"})

# A statement that was not refused as the test of RULES says.
Difference = namedtuple("Difference", "test sql wanted got")


class Bucket:
    """Where COPY reads from: URL is s3://bucket/prefix; ENDPOINT, path style, only for stores other than AWS's."""

    def __init__(self, url, credentials, endpoint=""):
        parts = urlsplit(url)
        self.name, self.prefix = parts.netloc, parts.path.strip("/")
        self.url = f"s3://{self.name}/{self.prefix}/" if self.prefix else f"s3://{self.name}/"
        self._credentials = credentials
        self._base = (f"{endpoint}/{self.name}" if endpoint
                      else f"https://{self.name}.s3.{credentials.region}.amazonaws.com")

    def put(self, key, data):
        path = "/".join(filter(None, (self.prefix, key)))
        url = f"{self._base}/{quote(path)}"
        headers = sigv4.signed_headers(self._credentials, "PUT", url, data)
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method="PUT"), timeout=60):
            pass


class ClusterSession(WireClient):
    """Bucket and role of the tests become the real ones."""

    replaced = ()

    def send(self, kind, content=b""):
        for mine, theirs in self.replaced:
            content = content.replace(mine.encode(), theirs.encode())
        super().send(kind, content)


class Cluster:
    """What a test's `target` and `s3` have, as far as a cluster has it."""

    def __init__(self, url, bucket, iam_role):
        self.address, self._bucket = Address(url), bucket
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self._tls = None
        if query.get("sslmode") != "disable":
            self._tls = ssl.create_default_context(cafile=query.get("sslrootcert"))
        self._session = type("Session", (ClusterSession,),
                             {"replaced": ((TEST_BUCKET, bucket.url), (TEST_ROLE, iam_role))})
        self.names = itertools.count(1)
        self.differences = []

    def __getattr__(self, name):
        raise unittest.SkipTest(f"only a stand-in has {name}")

    def connect(self, user=None, *, database=None, parameters=None, tls=None, seconds=300):
        if user or tls:
            raise unittest.SkipTest("only a stand-in has other users, and TLS of its own")
        return self._session(self.address, database=database, parameters=parameters, tls=self._tls, seconds=seconds)

    def put(self, bucket, key, data):
        if bucket != "bucket":
            raise unittest.SkipTest("there is one bucket")
        self._bucket.put(key, data.replace(TEST_BUCKET.encode(), self._bucket.url.encode()))

    def refused(self, test, session, sql, sqlstate, number, words):
        """As StandinCase.refused, but a difference does not end the test, and what the stand-in refuses because it cannot
        imitate it is left out."""
        if number == STANDINS_OWN:
            return NO_ERROR
        wanted = json.dumps(f"{sqlstate} {words}".strip())
        try:
            session.query(sql)
        except SqlError as error:
            if error.sqlstate != sqlstate or words not in error.message:
                self.differences.append(Difference(test.id(), sql, wanted, f"{error.sqlstate} {error.message}"))
            return error
        self.differences.append(Difference(test.id(), sql, wanted, "no error"))
        made = LEFT.match(sql)
        if made and session.state == b"I":
            session.query(f"DROP {made.group(1)} IF EXISTS {made.group(2)}")
        return NO_ERROR
