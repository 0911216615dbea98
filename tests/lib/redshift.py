"""The stand-in for Redshift as tests use it.

    with S3Fake() as s3, Standin(s3=s3) as target:
        target.url                          for a client: redshift://loader:…@127.0.0.1:PORT/dev
        target.sql("SELECT 1")              rows of the last statement
        target.fail("COMMIT", "kill_after") a failure at the next statement that has this in it
        target.statements()                 what was logged

S3 is anything with `endpoint` and `credentials` (s3_fake.S3Fake). Without a SERVER (postgres.Postgres) it
starts one of its own. With RE_DMS_STATEMENTS, a folder, what kinds of statements (shapes.py) the daemon sent is written
to a file there.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

STANDIN = Path(__file__).resolve().parents[1] / "standin"
sys.path.append(str(STANDIN))
from postgres import Postgres, free_port  # noqa: E402
from shapes import shape  # noqa: E402
from wire import Gone  # noqa: E402
from wire_client import Address, WireClient  # noqa: E402

START_SECONDS = 60
DAEMON = "re_dms"  # as its sessions call themselves


class StandinError(Exception):
    """It did not start; the text is its own."""


class Standin:
    """A stand-in in a process of its own. OPTIONS: more of standin.py's, e.g. ("--mode", "serverless")."""

    user, password, database = "loader", "loader-secret", "dev"

    def __init__(self, server=None, s3=None, *options, users=(), tls=False):
        self._own = Postgres(settings={"max_connections": "200"}) if server is None else None
        self._server, self._s3, self._options = server or self._own, s3, list(options)
        self.users = {self.user: self.password, **dict(users)}
        self.port, self.control_port = free_port(), free_port()
        self.log = self._server.root / f"standin.{self.port}.log"
        self._errors = self.log.with_suffix(".errors")
        self._tls, self._process, self._session = tls, None, None
        self.url = f"redshift://{self.user}:{quote(self.password)}@127.0.0.1:{self.port}/{self.database}"

    def __enter__(self):
        if self._own:
            self._own.start()
        self.start()
        return self

    def __exit__(self, kind=None, *_):
        self.stop()
        said = self.errors()
        if "RE_DMS_STATEMENTS" in os.environ:
            self._write_shapes(Path(os.environ["RE_DMS_STATEMENTS"]))
        if self._own:
            self._own.remove()
        if said and kind is None:
            raise StandinError(f"the stand-in failed: {said}")

    def _command(self):
        made = [sys.executable, STANDIN / "standin.py", "--listen", f"127.0.0.1:{self.port}",
                "--control", f"127.0.0.1:{self.control_port}", "--postgres", self._server.url(),
                "--database", self.database, "--log", self.log]
        for name, password in self.users.items():
            made += ["--user", f"{name}:{password}"]
        if self._s3:
            keys = self._s3.credentials
            made += ["--s3-endpoint", self._s3.endpoint, "--s3-access-key", keys.access_key,
                     "--s3-secret-key", keys.secret_key, "--s3-region", keys.region,
                     "--cluster-region", keys.region]
            made += ["--s3-session-token", keys.session_token] if keys.session_token else []
        if self._tls:
            from certificate import make_certificate
            key, self.certificate = make_certificate(self._server.root, f"standin.{self.port}")
            made += ["--tls-cert", self.certificate, "--tls-key", key]
        return [*made, *self._options]

    def start(self):
        with open(self._errors, "wb") as errors:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, self._command())],
                                             stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL)
        if not self._process.stdout.readline().startswith(b"listening"):
            self._process.wait(START_SECONDS)
            raise StandinError(self.errors())

    def stop(self):
        if self._session:
            self._session.close()
            self._session = None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def errors(self):
        """What it wrote on standard error: nothing, if all is well."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def connect(self, user=None, *, database=None, parameters=None, tls=None, seconds=120):
        """A session (wire_client.WireClient)."""
        user = user or self.user
        return WireClient(Address(self.url), user=user, password=self.users.get(user, ""),
                          database=database or self.database, parameters=parameters, tls=tls, seconds=seconds)

    def sql(self, sql):
        """The rows of the last statement of SQL, in a session that is kept for this, and opened anew where a fault
        has ended it."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self._session is None:
                    self._session = self.connect()
                return self._session.rows(sql)
            except (Gone, OSError):
                self._session = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def as_superuser(self, sql):
        """In the PostgreSQL behind it."""
        self._server.psql(sql, database=self.database)

    def _control(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control_port}{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def fail(self, pattern, action="error", **more):
        """Sets a fault (faults.py): fail("COPY", known="disk_full", nth=2), fail("COMMIT", "kill_after")."""
        self._control("POST", "/faults", {"pattern": pattern, "action": action, **more})

    def faults(self):
        return self._control("GET", "/faults")

    def clear_faults(self):
        self._control("DELETE", "/faults")

    def restart(self, seconds=1):
        self._control("POST", "/restart", {"seconds": seconds})

    def end_sessions(self):
        return self._control("POST", "/end", {})["ended"]

    def expire_logins(self, count=1):
        self._control("POST", "/expire", {"count": count})

    def _write_shapes(self, folder):
        texts = {entry["sql"] for entry in self.statements() if entry["program"] == DAEMON and entry["sql"]}
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{Path(sys.argv[0]).stem}.{os.getpid()}.{self.port}.json"
        file.write_text(json.dumps(sorted(set(map(shape, texts)))), encoding="utf-8")

    def statements(self):
        """What was logged: a dictionary each (sql, result, rule, seconds, session, …)."""
        if not self.log.exists():
            return []
        # Texts have other ends of lines in them, and the last line may be on its way.
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").split("\n")[:-1]]

    def wait_log(self, condition, seconds=30):
        """Waits until CONDITION holds for an entry of the log, and returns it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for entry in self.statements():
                if condition(entry):
                    return entry
            time.sleep(0.02)
        raise StandinError(f"not logged within {seconds} s; {self.errors()}")
