"""Where COPY reads: objects of an S3 server, by prefix or by manifest."""

import gzip
import http.client
import json
import subprocess
import time
import xml.etree.ElementTree as ElementTree
import zlib
from urllib.parse import quote, urlsplit

import sigv4
from wire import Refused

RETRIED = (500, 502, 503, 504)


def s3_error(rule, code, status, text):
    return Refused(rule, "XX000", f"S3ServiceException:{text},Status {status},Error {code},Rid 0,ExtRid 0,CanRetry 1")


class Bucket:
    """Reads objects; signs each request. RETRY_SECONDS: how long a busy server is asked again."""

    def __init__(self, endpoint, credentials, retry_seconds):
        parts = urlsplit(endpoint)
        self._base, self._credentials, self._retry_seconds = endpoint.rstrip("/"), credentials, retry_seconds
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=60)

    def close(self):
        self._connection.close()

    def _get(self, path):
        """(status, content)."""
        deadline = time.monotonic() + self._retry_seconds
        while True:
            headers = sigv4.signed_headers(self._credentials, "GET", self._base + path)
            try:
                self._connection.request("GET", path, headers=headers)
                answer = self._connection.getresponse()
                status, content = answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                status, content = 503, str(error).encode()
            if status not in RETRIED or time.monotonic() > deadline:
                return status, content
            time.sleep(0.1)

    def get(self, bucket, key):
        """The object, or None."""
        status, content = self._get(f"/{bucket}/{quote(key, safe='/-_.~')}")
        if status == 404 and b"NoSuchBucket" not in content:
            return None
        return self._checked(status, content)

    def keys(self, bucket, prefix):
        found, token = [], ""
        while True:
            query = f"list-type=2&prefix={quote(prefix, safe='')}"
            if token:
                query = f"continuation-token={quote(token, safe='')}&" + query
            status, content = self._get(f"/{bucket}?{query}")
            tree = ElementTree.fromstring(self._checked(status, content))
            texts = [(node.tag.rpartition("}")[2], node.text or "") for node in tree.iter()]
            found += [text for tag, text in texts if tag == "Key"]
            token = next((text for tag, text in texts if tag == "NextContinuationToken"), "")
            if not token:
                return found

    @staticmethod
    def _checked(status, content):
        if status == 200:
            return content
        code, text = "ServiceUnavailable", content.decode("utf-8", "replace")[:200]
        try:
            for node in ElementTree.fromstring(content):
                tag = node.tag.rpartition("}")[2]
                code = node.text or code if tag == "Code" else code
                text = node.text or code if tag == "Message" else text
        except ElementTree.ParseError:
            pass
        raise s3_error(14, code, status, text)


def split_url(url):
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def find_objects(bucket, options):
    """[(URL, content)] of what COPY loads, in order; content None: to be fetched."""
    if options.flag("MANIFEST"):
        return read_manifest(bucket, options.source)
    name, prefix = split_url(options.source)
    urls = [f"s3://{name}/{key}" for key in bucket.keys(name, prefix)]
    if not urls:
        raise Refused(14, "XX000", f"The specified S3 prefix '{prefix}' does not exist")
    return [(url, True) for url in urls]


def read_manifest(bucket, url):
    name, key = split_url(url)
    if not key:
        raise Refused(13, "XX000", "COPY with MANIFEST parameter requires full path of an S3 object.",
                      "error: COPY with MANIFEST parameter requires full path of an S3 object. code: 8001")
    content = bucket.get(name, key)
    if content is None:
        raise Refused(13, "XX000", "COPY with MANIFEST parameter requires full path of an S3 object.",
                      "error: COPY with MANIFEST parameter requires full path of an S3 object. code: 8001")
    try:
        entries = json.loads(content.decode("utf-8"))["entries"]
        return [(entry["url"], bool(entry.get("mandatory", False))) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(13, "XX000", f"Problem reading manifest file - {url}", "error: Problem reading manifest file"
                      f" code: 8001 context: {type(error).__name__}") from None


def fetch(bucket, url, mandatory):
    """The object's content; None for one that is missing and may be."""
    if not url.startswith("s3://"):
        raise Refused(13, "XX000", f"Problem reading manifest file - {url} is not an S3 URL")
    content = bucket.get(*split_url(url))
    if content is None and mandatory:
        raise s3_error(14, "NoSuchKey", 404, "The specified key does not exist.")
    return content


def unpack(content, options, url):
    """The text of a file that may be compressed."""
    try:
        if options.flag("GZIP"):
            return gzip.decompress(content) if content else b""
        if options.flag("ZSTD"):
            return subprocess.run(["zstd", "-dcq"], input=content, capture_output=True, check=True).stdout
    except (OSError, EOFError, zlib.error, subprocess.CalledProcessError):
        kind = "gzip" if options.flag("GZIP") else "zstd"
        raise Refused(22, "XX000", f"{kind}: unexpected end of stream or invalid data in {url}") from None
    if options.flag("BZIP2") or options.flag("LZOP"):
        raise Refused(0, "0A000", "the stand-in unpacks GZIP and ZSTD only")
    return content
