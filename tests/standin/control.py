"""Failures on request, over HTTP on loopback. All bodies are JSON.

    GET    /faults                 those that are set, with how often they were `seen` and `fired`
    POST   /faults                 sets one; see faults.py
    DELETE /faults                 forgets all
    POST   /restart {"seconds": 2} all sessions end, nobody is let in for so long
    POST   /end                    all sessions end
    POST   /expire  {"count": 1}   so many logins are told that their credentials have expired
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Control:
    """Listens until closed."""

    def __init__(self, server, listen):
        host, _, port = listen.rpartition(":")
        self._http = ThreadingHTTPServer((host or "127.0.0.1", int(port)), _Handler)
        self._http.daemon_threads = True
        self._http.standin = server
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._http.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, answer = 200, self._answer(json.loads(body or b"{}"))
        except (ValueError, KeyError) as error:
            status, answer = 400, {"error": str(error)}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve

    def _answer(self, given):
        server = self.server.standin
        what = (self.command, self.path)
        if what == ("GET", "/faults"):
            return server.faults.list()
        if what == ("POST", "/faults"):
            server.faults.add(given)
        elif what == ("DELETE", "/faults"):
            server.faults.clear()
        elif what == ("POST", "/restart"):
            server.restart(given.get("seconds", 1))
        elif what == ("POST", "/end"):
            return {"ended": server.end_all()}
        elif what == ("POST", "/expire"):
            server.faults.expire_logins(given.get("count", 1))
        else:
            raise ValueError(f"no {self.command} {self.path}")
        return {}
