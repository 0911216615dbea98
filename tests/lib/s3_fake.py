"""A small S3 server in memory, for tests that need no real one: it checks every signature.

PUT, GET (Range too), HEAD and DELETE of objects, ListObjectsV2, DeleteObjects, and PUT, HEAD and DELETE
of buckets, path style only; everything else is 501. `with S3Fake() as s3:`, then s3.endpoint and, past
HTTP, s3.put(bucket, key, data), s3.get, s3.keys.
"""

import datetime
import hashlib
import hmac
import re
import threading
import time
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import sigv4
from quiet_server import QuietServer

SKEW_SECONDS = 900
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/([^,]+), ?SignedHeaders=([^,]+),"
                           r" ?Signature=([0-9a-f]{64})")


class Refusal(Exception):
    """An S3 error: HTTP status, code, message."""

    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class S3Fake:
    """Buckets of bytes. `refuse(count, status, code)` has the next COUNT requests answered with an error."""

    def __init__(self, access_key="fake-access-key", secret_key="fake-secret-key", region="us-east-1",
                 buckets=("bucket",), session_token=None, address="127.0.0.1", port=0):
        self.credentials = sigv4.Credentials(access_key, secret_key, region, session_token)
        self.buckets = {name: {} for name in buckets}
        self.requests = []  # (method, path and query), refused ones included
        self.puts = []  # (begin, end, bytes) of each PUT that was answered, in seconds of time.time()
        self.lock = threading.Lock()
        self.delay = 0  # seconds before each answer
        self._refusals = []
        self._server = QuietServer((address, port), _Handler)
        self._server.daemon_threads = True
        self._server.s3 = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def put(self, bucket, key, data):
        with self.lock:
            self.buckets[bucket][key] = bytes(data)

    def get(self, bucket, key):
        return self.buckets[bucket][key]

    def keys(self, bucket):
        with self.lock:
            return sorted(self.buckets[bucket], key=str.encode)

    def refuse(self, count, status=503, code="SlowDown"):
        with self.lock:
            self._refusals += [(status, code)] * count

    def take_refusal(self):
        with self.lock:
            return self._refusals.pop(0) if self._refusals else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def _answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _serve(self):
        self.s3 = self.server.s3
        self.s3.requests.append((self.command, self.path))
        begin = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.s3.delay)
        try:
            if wanted := self.s3.take_refusal():
                raise Refusal(*wanted)
            url = urlsplit(self.path)
            self._check(url, body)
            bucket, _, key = unquote(url.path)[1:].partition("/")
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            with self.s3.lock:
                answer = self._dispatch(bucket, key, query, body)
            self._answer(*answer)
            if self.command == "PUT":
                self.s3.puts.append((begin, time.time(), len(body)))
        except Refusal as refusal:
            text = (f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}"
                    "</Message></Error>")
            self._answer(refusal.status, text.encode(), {"Content-Type": "application/xml"})

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def _check(self, url, body):
        """The signature, the hash of the body, the clock."""
        own = self.s3.credentials
        found = AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if not found:
            raise Refusal(403, "AccessDenied", "Access Denied")
        access_key, scope, signed, given = found.groups()
        if access_key != own.access_key:
            raise Refusal(403, "InvalidAccessKeyId")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("x-amz-security-token") != own.session_token:
            raise Refusal(403, "InvalidToken")
        names = signed.split(";")
        needed = {"host"} | {name for name in headers if name.startswith("x-amz-")}
        if needed - set(names) or names != sorted(names):
            raise Refusal(403, "AccessDenied", "There were headers present which were not signed")
        date, region, *rest = scope.split("/")
        if region != own.region or rest != ["s3", "aws4_request"]:
            raise Refusal(400, "AuthorizationHeaderMalformed", f"expecting '{own.region}'")
        made = sigv4.signature(self.command, url.path, url.query, headers, names, scope, own.secret_key)
        if not hmac.compare_digest(made, given):
            raise Refusal(403, "SignatureDoesNotMatch")
        at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        if abs((now - at).total_seconds()) > SKEW_SECONDS or date != f"{at:%Y%m%d}":
            raise Refusal(403, "RequestTimeTooSkewed")
        stated = headers.get("x-amz-content-sha256")
        if stated != "UNSIGNED-PAYLOAD" and stated != hashlib.sha256(body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch")

    def _dispatch(self, bucket, key, query, body):
        if not key:
            return self._bucket(bucket, query, body)
        objects = self._objects(bucket)
        if query or self.command == "POST":
            raise Refusal(501, "NotImplemented")
        if self.command == "PUT":
            if "if-none-match" in {name.lower() for name in self.headers} and key in objects:
                raise Refusal(412, "PreconditionFailed")
            objects[key] = body
            return 200, b"", {"ETag": etag(body)}
        if self.command == "DELETE":
            objects.pop(key, None)
            return 204, b""
        if key not in objects:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        return self._content(objects[key])

    def _content(self, data):
        headers, status = {"ETag": etag(data), "Accept-Ranges": "bytes"}, 200
        if self.headers.get("Range"):
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"])
            first = int(found.group(1)) if found else 0
            if not found or first >= len(data):
                raise Refusal(416, "InvalidRange")
            last = min(int(found.group(2) or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        return status, data, {**headers, "Content-Length": str(len(data))}

    def _objects(self, bucket):
        if bucket not in self.s3.buckets:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        return self.s3.buckets[bucket]

    def _bucket(self, bucket, query, body):
        if self.command == "PUT" and not query:
            self.s3.buckets.setdefault(bucket, {})
            return 200, b""
        objects = self._objects(bucket)
        if self.command == "HEAD":
            return 200, b""
        if self.command == "DELETE":
            if objects:
                raise Refusal(409, "BucketNotEmpty")
            del self.s3.buckets[bucket]
            return 204, b""
        if self.command == "POST" and "delete" in query:
            return self._delete_many(objects, body)
        if self.command == "GET" and query.get("list-type") == "2":
            return self._list(bucket, objects, query)
        raise Refusal(501, "NotImplemented")

    def _delete_many(self, objects, body):
        keys = [node.text or "" for node in ElementTree.fromstring(body).iter() if node.tag.endswith("Key")]
        if len(keys) > 1000:
            raise Refusal(400, "MalformedXML")
        for key in keys:
            objects.pop(key, None)
        gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return 200, f"<?xml version='1.0'?><DeleteResult>{gone}</DeleteResult>".encode()

    def _list(self, bucket, objects, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        most = min(int(query.get("max-keys", 1000)), 1000)
        rows, last, more = [], "", False
        for key in sorted(objects, key=str.encode):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            shown = key if end < 0 else key[: end + len(delimiter)]
            if not key.startswith(prefix) or shown.encode() <= after.encode() or shown == last:
                continue
            if len(rows) == most:
                more = True
                break
            last = shown
            rows.append(f"<CommonPrefixes><Prefix>{escape(shown)}</Prefix></CommonPrefixes>" if end >= 0 else
                        f"<Contents><Key>{escape(key)}</Key><Size>{len(objects[key])}</Size><ETag>"
                        f"{escape(etag(objects[key]))}</ETag><LastModified>2026-01-01T00:00:00.000Z"
                        "</LastModified><StorageClass>STANDARD</StorageClass></Contents>")
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        return 200, (f"<?xml version='1.0'?><ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}"
                     f"</Prefix><KeyCount>{len(rows)}</KeyCount><MaxKeys>{most}</MaxKeys><IsTruncated>"
                     f"{str(more).lower()}</IsTruncated>{token}{''.join(rows)}</ListBucketResult>").encode()


def etag(data):
    return f'"{hashlib.md5(data).hexdigest()}"'
