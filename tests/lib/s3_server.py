"""A real S3 server, radosgw, where a test otherwise uses the one in memory (s3_fake.S3Fake).

    with S3Server(buckets=("stage",)) as s3:
        s3.endpoint, s3.credentials
        s3.keys("stage")                    what is in it
"""

import shutil
import tempfile
import urllib.request
import xml.etree.ElementTree as ElementTree

import sigv4
from radosgw import USERS, Radosgw


class S3Server:
    """`endpoint` is there within `with`."""

    def __init__(self, buckets=("bucket",)):
        self.credentials = sigv4.Credentials(*USERS["owner"])
        self.endpoint, self._buckets, self._server, self._folder = "", buckets, None, ""

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="re_dms_radosgw.")
        self._server = Radosgw(self._folder)
        self.endpoint = self._server.facts()["endpoint"]
        for name in self._buckets:
            self._request("PUT", f"/{name}")
        return self

    def __exit__(self, *_):
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _request(self, method, path):
        url = self.endpoint + path
        headers = sigv4.signed_headers(self.credentials, method, url)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                urllib.request.Request(url, method=method, headers=headers), timeout=60) as answer:
            return answer.read()

    def keys(self, bucket):
        """The first thousand."""
        listed = ElementTree.fromstring(self._request("GET", f"/{bucket}?list-type=2"))
        return [key.text for key in listed.iter() if key.tag.rpartition("}")[2] == "Key"]
