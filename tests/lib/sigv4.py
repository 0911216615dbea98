"""AWS Signature Version 4 for S3, from its documentation: what a client adds to a request, and what a
server compares with ("Authenticating Requests: Using the Authorization Header")."""

import datetime
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, unquote, urlsplit

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Credentials:
    """An access key, its secret, perhaps a session token, and the region that requests are signed for."""

    def __init__(self, access_key, secret_key, region="us-east-1", session_token=None):
        self.access_key, self.secret_key = access_key, secret_key
        self.region, self.session_token = region, session_token


def canonical_query(query):
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))


def signature(method, path, query, headers, signed, scope, secret_key):
    """HEADERS by lower-case name; SIGNED: the names that are signed; SCOPE: date/region/s3/aws4_request."""
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed)
    request = "\n".join([method, quote(unquote(path), safe="/-_.~"), canonical_query(query), lines,
                         ";".join(signed), headers.get("x-amz-content-sha256", "")])
    text = "\n".join(["AWS4-HMAC-SHA256", headers.get("x-amz-date", ""), scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    key = b"AWS4" + secret_key.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def signed_headers(credentials, method, url, body=b"", headers=None, now=None):
    """The headers of a request to URL, `authorization` among them."""
    parts = urlsplit(url)
    now = now or datetime.datetime.now(datetime.timezone.utc)
    headers = {name.lower(): value for name, value in (headers or {}).items()}
    headers |= {"host": parts.netloc, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
                "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    scope = f"{now:%Y%m%d}/{credentials.region}/s3/aws4_request"
    signed = sorted(headers)
    made = signature(method, parts.path or "/", parts.query, headers, signed, scope, credentials.secret_key)
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
                                f"SignedHeaders={';'.join(signed)},Signature={made}")
    return headers
