"""A sink for error reports, as Rollbar and Sentry: it checks their form, can be away, and can hang."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler

from quiet_server import QuietServer

TOKEN = "rollbar-test-token"
KEY = "sentrytestkey"
LEVELS = {"critical", "error", "warning", "fatal"}


class ReportSink:
    """`items` of Rollbar and `events` of Sentry by their ids, as an answer that is lost has a report sent again;
    `refused`: what was wrong with others.

    While `away` is set, every request is answered 503, while `hangs` is set none is answered.
    """

    def __init__(self):
        self.items, self.events, self.refused = {}, {}, []
        self.raw = []  # every body and header that came, to look for secrets
        self.away, self.hangs = threading.Event(), threading.Event()
        self._server = QuietServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.sink = self
        self.port = self._server.server_address[1]
        self.options = {"observe.rollbar_token": TOKEN, "observe.rollbar_url": f"http://127.0.0.1:{self.port}",
                        "observe.sentry_dsn": f"http://{KEY}@127.0.0.1:{self.port}/42",
                        "observe.environment": "test"}

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hangs.clear()
        self._server.shutdown()
        self._server.server_close()

    def rollbar(self, headers, body):
        if headers.get("x-rollbar-access-token") != TOKEN:
            return 401
        data = json.loads(body)["data"]
        if not data["body"]["message"]["body"] or data["level"] not in LEVELS or data["environment"] != "test" \
                or not isinstance(data["timestamp"], int) or len(data["uuid"]) != 32:
            return 422
        self.items[data["uuid"]] = data
        return 200

    def sentry(self, headers, body):
        if f"sentry_key={KEY}" not in headers.get("x-sentry-auth", ""):
            return 403
        header, item, rest = body.split(b"\n", 2)
        item = json.loads(item)
        event = json.loads(rest[:item["length"]])
        if item["type"] != "event" or rest[item["length"]:] != b"\n" or event["level"] not in LEVELS \
                or json.loads(header)["event_id"] != event["event_id"]:
            return 400
        self.events[event["event_id"]] = event
        return 200


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status, text=b"{}"):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self._answer(200)

    def do_POST(self):
        sink = self.server.sink
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while sink.hangs.is_set():
            time.sleep(0.05)
        if sink.away.is_set():
            self._answer(503)
            return
        sink.raw.append(body.decode())
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status = {"/api/1/item/": sink.rollbar, "/api/42/envelope/": sink.sentry}[self.path](headers, body)
        except (KeyError, ValueError, TypeError) as error:
            status = 422
            sink.refused.append(repr(error))
        if status != 200:
            sink.refused.append((self.path, status, body))
        self._answer(status)
