#!/usr/bin/python3
"""Goal: the small S3 server keeps objects and lets nobody in whose signature is wrong."""

import datetime
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import sigv4  # noqa: E402
from s3_fake import S3Fake  # noqa: E402

# "Signature Calculations for the Authorization Header", GET Object and List Objects.
EXAMPLE = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z",
           "x-amz-content-sha256": sigv4.EMPTY_SHA256}
EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE_SCOPE = "20130524/us-east-1/s3/aws4_request"


class SignatureTest(unittest.TestCase):
    def test_the_examples_of_the_documentation(self):
        headers = {**EXAMPLE, "range": "bytes=0-9"}
        self.assertEqual("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
                         sigv4.signature("GET", "/test.txt", "", headers, sorted(headers), EXAMPLE_SCOPE,
                                         EXAMPLE_SECRET))
        self.assertEqual("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
                         sigv4.signature("GET", "/", "max-keys=2&prefix=J", EXAMPLE, sorted(EXAMPLE), EXAMPLE_SCOPE,
                                         EXAMPLE_SECRET))


class S3FakeTest(unittest.TestCase):
    def setUp(self):
        self.s3 = self.enterContext(S3Fake())

    def ask(self, method, path, body=b"", *, headers=None, credentials=None, now=None, change=None):
        """(status, content, headers)."""
        url = self.s3.endpoint + path
        signed = sigv4.signed_headers(credentials or self.s3.credentials, method, url, body, headers, now)
        request = urllib.request.Request(url, method=method, data=body or None, headers={**signed, **(change or {})})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def test_objects(self):
        for key in ("a", "b/c", "b/d%20e", "f%2Bg", "h%C3%A9"):
            self.assertEqual(200, self.ask("PUT", f"/bucket/{key}", key.encode())[0])
            self.assertEqual((200, key.encode()), self.ask("GET", f"/bucket/{key}")[:2])
        self.assertEqual(["a", "b/c", "b/d e", "f+g", "hé"], self.s3.keys("bucket"))
        self.assertEqual((206, b"/d"), self.ask("GET", "/bucket/b/d%20e", headers={"Range": "bytes=1-2"})[:2])
        status, content, headers = self.ask("HEAD", "/bucket/a")
        self.assertEqual((200, b"", "1"), (status, content, headers["Content-Length"]))
        self.assertEqual(204, self.ask("DELETE", "/bucket/a")[0])
        self.assertEqual(404, self.ask("GET", "/bucket/a")[0])
        self.assertIn(b"NoSuchBucket", self.ask("GET", "/absent/a")[1])
        self.assertEqual(416, self.ask("GET", "/bucket/b/c", headers={"Range": "bytes=9-"})[0])

    def test_lists_and_deletes_of_many(self):
        for number in range(5):
            self.s3.put("bucket", f"p/{number}", b"x")
            self.s3.put("bucket", f"p/q/{number}", b"x")
        text = self.ask("GET", "/bucket?list-type=2&prefix=p%2F&delimiter=%2F&max-keys=3")[1].decode()
        self.assertEqual(3, text.count("<Key>"))
        self.assertIn("<IsTruncated>true</IsTruncated>", text)
        text = self.ask("GET", "/bucket?continuation-token=p%2F2&delimiter=%2F&list-type=2&prefix=p%2F")[1].decode()
        self.assertEqual((2, 1), (text.count("<Key>"), text.count("<CommonPrefixes>")))
        body = b"<Delete>" + b"".join(b"<Object><Key>p/q/%d</Key></Object>" % number
                                      for number in range(5)) + b"</Delete>"
        self.assertEqual(200, self.ask("POST", "/bucket?delete=", body)[0])
        self.assertEqual(5, len(self.s3.keys("bucket")))

    def test_wrong_signatures(self):
        own = self.s3.credentials
        self.s3.put("bucket", "a", b"x")
        now = datetime.datetime.now(datetime.timezone.utc)
        for code, more in (
                (b"SignatureDoesNotMatch", {"credentials": sigv4.Credentials(own.access_key, "wrong")}),
                (b"InvalidAccessKeyId", {"credentials": sigv4.Credentials("wrong", own.secret_key)}),
                (b"AuthorizationHeaderMalformed", {"credentials": sigv4.Credentials(own.access_key, own.secret_key,
                                                                                    "eu-west-1")}),
                (b"RequestTimeTooSkewed", {"now": now - datetime.timedelta(hours=1)}),
                (b"AccessDenied", {"change": {"Authorization": ""}}),
                (b"AccessDenied", {"change": {"X-Amz-Acl": "public-read"}}),
                (b"SignatureDoesNotMatch", {"change": {"X-Amz-Content-Sha256": "0" * 64}}),
                (b"InvalidToken", {"credentials": sigv4.Credentials(own.access_key, own.secret_key,
                                                                    session_token="x")})):
            status, content, _ = self.ask("GET", "/bucket/a", **more)
            self.assertIn(code, content)
            self.assertIn(status, (400, 403))
        self.assertEqual(200, self.ask("GET", "/bucket/a")[0])

    def test_refusals_on_request(self):
        self.s3.put("bucket", "a", b"x")
        self.s3.refuse(1)
        self.assertEqual(503, self.ask("GET", "/bucket/a")[0])
        self.assertEqual(200, self.ask("GET", "/bucket/a")[0])


if __name__ == "__main__":
    unittest.main()
