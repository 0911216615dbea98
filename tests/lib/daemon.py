"""Runs the re_dms daemon for tests: configuration, start, readiness, positions, stop, kill.

The program is $RE_DMS_BINARY, else the one of build/dev or build/release, whichever is newer.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from postgres import free_port, parse_lsn
from targets import DuckdbTarget

ROOT = Path(__file__).resolve().parents[2]

# Where status.json says it.
SERVER_LSN = ("source", "server_lsn")
JOURNALED_LSN = ("source", "journaled_lsn")
STAGED_LSN = ("batch", "staged_lsn")
LOADED_LSN = ("warehouse", "loaded_lsn")
ROWS_LOADED = ("warehouse", "rows_loaded")  # since it was started
NOT_LIVE = ("tables", "not_live")
COMING = ("tables", "coming")

# First and longest wait between two tries (base/retry.h): what comes back is noticed soon.
RETRY_MS = "10,200"
# The same between two copies of a table that the stream could not tell about (tables/table_states.h).
HEAL_MS = "10,200"

# `catch_up` and `wait_journaled` write to it.
MARKER = "public.marker"


def create_marker(server):
    server.psql(f"CREATE TABLE {MARKER} (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())")


class DaemonError(Exception):
    """The daemon ended or did not get there in time; the text has the end of its log."""


def find_binary():
    if os.environ.get("RE_DMS_BINARY"):
        return os.environ["RE_DMS_BINARY"]
    built = [ROOT / "build" / preset / "src" / "app" / "re_dms" for preset in ("dev", "release")]
    built = [path for path in built if path.exists()]
    if not built:
        raise DaemonError("no re_dms in build/dev or build/release: run `make build`")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def little_ahead():
    """Options with which a copy stands still after 128 MiB that are not loaded: four times the reserve are not free."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return {"batch.memory": "64MiB", "journal.reserve_bytes": f"{free // 3 >> 20}MiB"}


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(one)}" for name, one in value.items()) + "}"
    # JSON's escapes are TOML's; a dollar sign would name an environment variable.
    return str(value) if isinstance(value, int) else json.dumps(value).replace("$", "$$")


class Daemon:
    """One daemon with its folder: configuration, journal, staged files, warehouse, log.

    `options` change the configuration: {"batch.interval": "1s", "source.slot": "other"}; those of "table"
    are a list, the [[table]] sections: [{"match": "public.*", "initial_copy": "adopt"}].
    """

    def __init__(self, server, folder, options=None, *, environment=None, target=None):
        self.server = server
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.target = target or DuckdbTarget(self.folder)
        self.journal = self.folder / "journal"
        self.log = self.folder / "log"
        self.config = self.folder / "re_dms.toml"
        self.port = free_port()
        self.environment = {"RE_DMS_RETRY_MS": RETRY_MS, "RE_DMS_HEAL_MS": HEAL_MS, **os.environ,
                            **self.target.environment, **(environment or {})}
        self.process = None
        self.usage = None
        self.configure(options or {})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def warehouse(self):
        """The DuckDB file that it loads; one that options name is to be set."""
        return self.target.file

    @warehouse.setter
    def warehouse(self, file):
        self.target.file = Path(file)

    def configure(self, options):
        """Writes the configuration anew."""
        settings = {
            "source.url": self.server.url(), "source.slot": "re_dms",
            "source.publication": "re_dms", "source.include": ["public.*"],
            "journal.directory": str(self.journal), "journal.max_bytes": "4GiB",
            "journal.reserve_bytes": "64MiB", "batch.interval": "200ms",
            "observe.listen": f"127.0.0.1:{self.port}", **self.target.options, **options,
        }
        tables = settings.pop("table", [])
        sections = {}
        for key, value in settings.items():
            section, _, name = key.partition(".")
            if value is not None:
                sections.setdefault(section, []).append(f"{name} = {toml(value)}\n")
        texts = [f"[{section}]\n{''.join(lines)}\n" for section, lines in sections.items()]
        for table in tables:
            texts.append("[[table]]\n" + "".join(f"{name} = {toml(value)}\n" for name, value in table.items()))
        self.config.write_text("".join(texts), encoding="utf-8")

    def command(self, *arguments):
        return [find_binary(), arguments[0], "-c", str(self.config), *arguments[1:]]

    def run(self, *arguments, seconds=120):
        """Runs one command to its end: (exit code, standard output, standard error)."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False,
                              timeout=seconds, env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def start(self, *arguments):
        """Starts `run`; the log is appended to."""
        if self.running():
            raise self.error("it runs already")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command("run", *arguments), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stands_still(self):
        """SIGSTOP holds it."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "T"

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def error(self, text):
        tail = "\n".join(self.log_text().splitlines()[-40:])
        return DaemonError(f"{text}\n--- end of {self.log}\n{tail}")

    def get(self, path):
        """(HTTP status, text), or (0, why not)."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error)

    def status(self):
        """What /status.json says; {} while the daemon does not answer."""
        code, text = self.get("/status.json")
        return json.loads(text) if code == 200 else {}

    def said(self, path):
        """What the status says at one of the paths above, or None."""
        value = self.status()
        for key in path:
            value = (value or {}).get(key)
        return value

    def position(self, path):
        """A position of the status as a number, or 0."""
        value = self.said(path)
        return parse_lsn(value) if value else 0

    def wait(self, what, condition, seconds=60):
        """Waits until CONDITION() is true; fails when the daemon ends meanwhile."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if not self.running():
                raise self.error(f"the daemon ended with {self.process.returncode}, waiting: {what}")
            if time.monotonic() > deadline:
                raise self.error(f"not within {seconds} s: {what}; status {self.status()}")
            time.sleep(0.05)
        return value

    def wait_ready(self, seconds=60):
        self.wait("ready", lambda: self.get("/readyz")[0] == 200, seconds)
        return self

    def wait_live(self, count, seconds=60):
        """Waits until so many tables are live and none is on its way."""
        def live():
            tables = self.status().get("tables") or {}
            return tables.get("live") == count and not tables.get("coming")

        self.wait(f"{count} live tables", live, seconds)
        return self

    def wait_copied_anew(self, table, words="", *, since=0, seconds=60):
        """Waits until TABLE ("public.t") left the live ones for a reason with WORDS, said in the log behind
        SINCE, and no table is on its way; returns the reason."""
        def reason():
            lines = [json.loads(line) for line in self.log_text()[since:].splitlines()]
            said = [line["message"] for line in lines
                    if line["event"] == "table_waits" and line["table"] == table and words in line["message"]]
            return said[-1] if said else None

        found = self.wait(f"{table} is copied anew", reason, seconds)
        self.wait(f"{table} is live again", lambda: self.said(COMING) == [], seconds)
        return found

    def wait_journaled(self, seconds=60):
        """Waits until all that was committed before this call is durable in the journal."""
        lsn = self._mark()
        self.wait(f"journaled {lsn:X}", lambda: self.position(JOURNALED_LSN) > lsn, seconds)

    def catch_up(self, seconds=60, *, set_aside=False, coming=()):
        """Waits until all that was committed before this call is loaded, of all tables.

        An idle position behind it may be loaded before the marker's row is, so that comparisons leave
        its table out. Tables on their way are waited for: a table joins the live ones where these
        stand, so it holds all that too. SET_ASIDE: tables may be. COMING: those ("public.t") that may
        stay on their way.
        """
        self.wait_beyond(self._mark(), seconds, set_aside=set_aside, coming=coming)

    def _mark(self):
        """The present end of WAL (a number). Positions move with transactions, so this adds one behind
        it, a row of the marker table."""
        return parse_lsn(self.server.psql("SELECT pg_current_wal_insert_lsn();"
                                          f" INSERT INTO {MARKER} DEFAULT VALUES"))

    def wait_beyond(self, lsn, seconds=60, *, set_aside=False, coming=()):
        """Waits until the target holds everything below LSN, and something behind it: as `catch_up`,
        for who writes a transaction behind it himself."""
        def none_comes():
            entries = self.said(COMING)
            return entries is not None and {entry["table"] for entry in entries} <= set(coming)

        self.wait(f"loaded beyond {lsn:X}", lambda: self.position(LOADED_LSN) > lsn, seconds)
        self.wait("no table is on its way", none_comes, seconds)
        not_live = self.said(NOT_LIVE)
        if not_live and not set_aside:
            raise self.error(f"tables were set aside: {not_live}")

    def stop(self, seconds=120):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def wait_end(self, seconds=60):
        """Waits until the daemon ends by itself; returns the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise self.error(f"the daemon did not end within {seconds} s") from None

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def compare(self, tables=None):
        """The differences between source and target; an Exception where there are any."""
        differences, counts = self.target.compare(self.server.url(), tables, without=[tuple(MARKER.split("."))])
        if differences:
            raise self.error("source and target differ:\n" + "\n".join(map(str, differences)))
        return counts
