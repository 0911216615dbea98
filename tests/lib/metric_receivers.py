"""Receivers of metrics for tests: StatsD over UDP, and CloudWatch, which checks every signature."""

import gzip
import hashlib
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl

import sigv4
from quiet_server import QuietServer

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/([^,]+), ?SignedHeaders=([^,]+),"
                           r" ?Signature=([0-9a-f]{64})")
LINE = re.compile(r"^([^:]+):(\S+?)\|([cg])(?:\|#(.*))?$")


class StatsdReceiver:
    """`totals` of counters, last values of gauges, by (name, tags as a sorted tuple)."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.counters, self.gauges, self.wrong = {}, {}, []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _run(self):
        while not self._ends.is_set():
            try:
                packet = self._socket.recv(65536).decode()
            except TimeoutError:
                continue
            for line in packet.split("\n"):
                self._take(line)

    def _take(self, line):
        found = LINE.match(line)
        if not found:
            self.wrong.append(line)
            return
        name, value, kind, tags = found.groups()
        key = name, tuple(sorted((tags or "").split(",")))
        if kind == "c":
            self.counters[key] = self.counters.get(key, 0) + float(value)
        else:
            self.gauges[key] = float(value)


class CloudWatchFake:
    """What PutMetricData has brought: `data`, a list of {field: value} in the order of arrival.

    `refuse(count, status, code)` has the next COUNT requests answered with an error; while `hangs` is set,
    none is answered.
    """

    def __init__(self, access_key="fake-access-key", secret_key="fake-secret-key", region="us-east-1"):
        self.credentials = sigv4.Credentials(access_key, secret_key, region)
        self.data, self.refused, self.largest = [], [], 0
        self.requests = 0
        self.hangs = threading.Event()
        self.lock = threading.Lock()
        self._refusals = []
        self._server = QuietServer(("127.0.0.1", 0), _CloudWatchHandler)
        self._server.daemon_threads = True
        self._server.cloudwatch = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.environment = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key,
                            "AWS_REGION": region, "AWS_ENDPOINT_URL_CLOUDWATCH": self.endpoint}

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hangs.clear()
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, count, status=500, code="InternalFailure"):
        with self.lock:
            self._refusals += [(status, code)] * count

    def answer_to(self, method, path, headers, body):
        """(status, body) for a request."""
        with self.lock:
            self.requests += 1
            refusal = self._refusals.pop(0) if self._refusals else None
        refusal = refusal or self._fault(method, path, headers, body)
        if refusal:
            self.refused.append(refusal)
            return refusal[0], f"<ErrorResponse><Error><Code>{refusal[1]}</Code></Error></ErrorResponse>".encode()
        form = dict(parse_qsl(gzip.decompress(body).decode(), strict_parsing=True))
        members = {}
        for name, value in form.items():
            if found := re.fullmatch(r"MetricData\.member\.(\d+)\.(.+)", name):
                members.setdefault(int(found[1]), {})[found[2]] = value
        with self.lock:
            self.largest = max(self.largest, len(members))
            self.data += [member | {"Namespace": form["Namespace"]} for member in members.values()]
        return 200, b"<PutMetricDataResponse/>"

    def _fault(self, method, path, headers, body):
        found = AUTHORIZATION.match(headers.get("authorization", ""))
        if not found or found[1] != self.credentials.access_key:
            return 403, "InvalidClientTokenId"
        if not re.fullmatch(rf"\d{{8}}/{self.credentials.region}/monitoring/aws4_request", found[2]):
            return 403, "SignatureDoesNotMatch"
        signed = found[3].split(";")
        # Of the service's own rules: the body's hash is signed, though it is no header.
        made = sigv4.signature(method, path, "", headers | {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()},
                               signed, found[2], self.credentials.secret_key)
        if made != found[4] or "host" not in signed or "x-amz-date" not in signed:
            return 403, "SignatureDoesNotMatch"
        form = dict(parse_qsl(gzip.decompress(body).decode()))
        if form.get("Action") != "PutMetricData" or form.get("Version") != "2010-08-01" or len(body) > 1 << 20:
            return 400, "ValidationError"
        return None

    def values(self, name, **labels):
        """All values that came of a metric, by its dimensions besides the slot."""
        with self.lock:
            return [float(each["Value"]) for each in self.data if each["MetricName"] == name and "Value" in each
                    and dimensions(each) == labels]


def dimensions(datum):
    names = {key.split(".")[2]: value for key, value in datum.items() if re.fullmatch(r"Dimensions\.member\.\d+\.Name", key)}
    made = {name: datum[f"Dimensions.member.{place}.Value"] for place, name in names.items()}
    made.pop("Slot")
    return made


class _CloudWatchHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        cloudwatch = self.server.cloudwatch
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while cloudwatch.hangs.is_set():
            time.sleep(0.05)
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, text = cloudwatch.answer_to("POST", self.path, headers, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
