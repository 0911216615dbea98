"""A throwaway PostgreSQL for tests and benchmarks: its own cluster in a folder of its own.

It listens on a Unix socket, on loopback TCP only when asked, there with TLS when asked, and ends with
the program that started it. Started by root it runs as user postgres.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

from certificate import make_certificate
from cluster import PostgresError, as_owner, find_bin, make_cluster

START_SECONDS = 60
FIELD, RECORD, NULL = "\x1f", "\x1e", "\x1d"
CLAIMS = []  # on ports, until this program ends

SETTINGS = {
    # In its own folder: who clears /dev/shm meanwhile (the init of a container that shares it) ends no test.
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "fsync": "off",
    # Off, a slot would see a commit up to 0.6 s late.
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "log_line_prefix": "'%m [%p] %q%a '",
    "logging_collector": "off",
    "autovacuum_naptime": "5min",
}
# How PostgreSQL writes values when a test reads them.
PINNED = (
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex"
    " -c timezone=UTC -c lc_monetary=C -c client_min_messages=warning"
)


def free_port():
    """A port nobody listens on, of those that no outgoing connection is given (Linux: 32768 and up), and
    that no other test draws before this program ends: a daemon that is started again finds it free."""
    dice = random.SystemRandom()
    while True:
        port = dice.randrange(16384, 32768)
        # A name that only the kernel keeps, so that nothing is left of it, whatever ends the program.
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            try:
                claim.bind(f"\0re_dms_test_port.{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
        CLAIMS.append(claim)
        return port


def parse_lsn(text):
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def format_lsn(value):
    return f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"


class Postgres:
    """One cluster. `with Postgres() as server:` starts it and removes it in the end.

    It is a copy of one that initdb made once for this checkout, so its system identifier is that of
    all others; with OWN_IDENTITY initdb runs, which takes seconds.
    """

    def __init__(self, *, tcp=False, tls=False, settings=None, parent=None, own_identity=False):
        tcp = tcp or tls
        self.bin = find_bin()
        self.root = Path(tempfile.mkdtemp(prefix="re_dms_pg.", dir=parent))
        self.data = self.root / "data"
        self.log = self.root / "log"
        self.port = free_port() if tcp else 5432
        self._process = None
        if os.geteuid() == 0:
            shutil.chown(self.root, "postgres", "postgres")
        make_cluster(self.bin, self.data, own_identity)
        self.certificate = None
        self._configure({**SETTINGS, "listen_addresses": "'127.0.0.1'" if tcp else "''",
                         "unix_socket_directories": f"'{self.root}'", **(self._make_tls() if tls else {}),
                         **(settings or {})})

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def _configure(self, settings):
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())

    def _make_tls(self):
        key, self.certificate = make_certificate(self.root, "server")
        return {"ssl": "on", "ssl_key_file": f"'{key}'", "ssl_cert_file": f"'{self.certificate}'"}

    def url(self, *, tcp=False, tls=False, database="postgres"):
        """A libpq URL of the server: over its Unix socket, over TCP in the clear, or over TLS."""
        over = f"host={quote(str(self.root), '')}"
        if tls:
            over = (f"host=localhost&hostaddr=127.0.0.1&sslmode=verify-full"
                    f"&sslrootcert={quote(str(self.certificate), '')}")
        elif tcp:
            over = "host=127.0.0.1&sslmode=disable"
        return f"postgresql:///{quote(database)}?{over}&port={self.port}&user=postgres"

    def environment(self, database="postgres"):
        """What libpq programs need to reach the server."""
        return {**os.environ, "PGHOST": str(self.root), "PGPORT": str(self.port),
                "PGUSER": "postgres", "PGDATABASE": database, "PGOPTIONS": PINNED,
                "PGCLIENTENCODING": "UTF8"}

    def running(self):
        return self._process is not None and self._process.poll() is None

    def start(self):
        """Starts the server and waits until it takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while not self._try_start(deadline):
            # After a kill -9 the last backends hold the shared memory for a moment.
            if time.monotonic() > deadline:
                raise PostgresError(f"the server did not start:\n{self.log_tail()}")
            time.sleep(0.1)

    def _try_start(self, deadline):
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                as_owner(self.bin / "postgres", "-D", self.data, "-p", self.port),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root)
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if self._ready():
                return True
            time.sleep(0.02)
        return False

    def _ready(self):
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return (len(lines) > 7 and lines[0] == str(self._process.pid)
                and lines[7].strip() in ("ready", "standby"))

    def stop(self, mode="fast", seconds=60):
        """Stops the server and returns the seconds it took; past SECONDS it is killed: an error."""
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT,
                   "kill": signal.SIGKILL}
        begin = time.monotonic()
        self._process.send_signal(signals[mode])
        try:
            # Being the parent, we reap it: a zombie postmaster would block the next start.
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            raise PostgresError(f"a {mode} stop took more than {seconds} s") from None
        return time.monotonic() - begin

    def restart(self, mode="fast", seconds=60):
        took = self.stop(mode, seconds)
        self.start()
        return took

    def remove(self):
        if self.running():
            try:
                self.stop("immediate", 20)
            except PostgresError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)

    def log_tail(self, lines=30):
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def psql(self, sql, *, database="postgres", options=(), check=True):
        """Runs SQL (one script) and returns what psql prints, unaligned and without headers."""
        done = subprocess.run([self.bin / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *options, "-f", "-"],
                              input=sql, capture_output=True, text=True, check=False,
                              env=self.environment(database))
        if check and done.returncode:
            raise PostgresError(done.stderr.strip())
        return done.stdout.rstrip("\n")

    def rows(self, sql, *, database="postgres"):
        """The rows of one query: lists of str or None."""
        text = self.psql(sql, database=database,
                         options=["-F", FIELD, "-R", RECORD, "-P", f"null={NULL}"])
        records = text.split(RECORD) if text else []
        return [[None if value == NULL else value for value in record.split(FIELD)]
                for record in records]

    def value(self, sql, *, database="postgres"):
        return self.rows(sql, database=database)[0][0]

    def lsn(self):
        """The present end of WAL, as a number."""
        return parse_lsn(self.value("SELECT pg_current_wal_insert_lsn()"))

    def wait_slots_free(self, seconds=60):
        """Waits until nobody reads from a slot: a walsender lets go of it a moment after its client went."""
        deadline = time.monotonic() + seconds
        while self.value("SELECT count(*) FROM pg_replication_slots WHERE active") != "0":
            if time.monotonic() > deadline:
                raise PostgresError(f"a slot is still active after {seconds} s")
            time.sleep(0.05)

    def dump(self):
        """pg_dump of the database, to keep with a failure."""
        return subprocess.run([self.bin / "pg_dump"], capture_output=True, check=False,
                              env=self.environment()).stdout

    def session(self, database="postgres"):
        return Session(self, database)


class Session:
    """A psql that stays connected, for transactions of several steps and many small calls."""

    def __init__(self, server, database="postgres"):
        self._process = subprocess.Popen(
            [server.bin / "psql", "-XqAt", "-v", "VERBOSITY=verbose", "-f", "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=server.environment(database))
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, sql):
        """Runs SQL; returns what psql printed, errors included. Raises when the server is gone."""
        with self._lock:
            self._count += 1
            mark = f"--done {self._count}--"
            try:
                self._process.stdin.write(f"{sql}\n;\\echo '{mark}'\n".encode())
                self._process.stdin.flush()
            except BrokenPipeError:
                raise PostgresError("the session ended") from None
            return self._read_until(mark.encode())

    def _read_until(self, mark):
        lines = []
        while True:
            line = self._process.stdout.readline()
            if not line:
                self._process.wait()
                raise PostgresError("the session ended: " + b"".join(lines).decode(errors="replace"))
            if line.rstrip(b"\n") == mark:
                text = b"".join(lines).decode(errors="replace").rstrip("\n")
                if re.search(r"connection to server was lost|server closed the connection", text):
                    raise PostgresError(text)
                return text
            lines.append(line)

    def must(self, sql):
        """Runs SQL that has to succeed."""
        text = self.run(sql)
        if re.search(r"^psql:.*(ERROR|FATAL):", text, re.M):
            raise PostgresError(text)
        return text

    def close(self):
        """Ends the session; what it left open is rolled back."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
