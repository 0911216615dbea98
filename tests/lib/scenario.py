"""The frame of a test with a real server and a real daemon; on failure everything is kept."""

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from daemon import Daemon, create_marker
from postgres import Postgres
from targets import open_target


def keep(server, folder):
    """Brings what is needed to look into a failure together in FOLDER, and says where that is."""
    if server.running():
        (folder / "source.sql").write_bytes(server.dump())
    if server.log.exists():
        shutil.copy(server.log, folder / "postgres.log")
    print(f"kept: {folder} (configuration, journal, staged files, warehouse, logs, source.sql)",
          file=sys.stderr, flush=True)


@contextmanager
def scenario(sql="", *, options=None, settings=None, tls=False, target=None):
    """Yields (server, daemon): the server with the tables of SQL, the daemon not started yet. TARGET: one that was
    not entered yet, instead of the one that the test is run for."""
    folder = Path(tempfile.mkdtemp(prefix="re_dms_test."))
    with Postgres(settings=settings, tls=tls) as server:
        create_marker(server)
        server.psql(sql)
        with (target or open_target(folder / "daemon")) as into, Daemon(server, folder / "daemon", options,
                                                                       target=into) as daemon:
            try:
                yield server, daemon
            except BaseException:
                keep(server, folder)
                into.keep(folder)
                raise
    shutil.rmtree(folder)


def expect(condition, text):
    """An assertion that also holds under -O."""
    if not condition:
        raise AssertionError(text)


# Exit codes of a refusal: one that may pass, and one that waits for a person.
FAILED, REFUSED = 1, 4


def expect_refusal(daemon, *words, code=FAILED, seconds=120):
    """Starts `run`, which must end with CODE and a message that has all WORDS."""
    before = len(daemon.log_text())
    daemon.start()
    found = daemon.wait_end(seconds)
    # The log is JSON, which escapes quotes.
    said = daemon.log_text()[before:].replace('\\"', '"')
    expect(found == code, f"exit code {found} instead of {code}; it said:\n{said}")
    missing = [word for word in words if word.lower() not in said.lower()]
    expect(not missing, f"the message lacks {missing}:\n{said}")


def expect_check(daemon, *words):
    """Runs `check`, which must find a fault and say all WORDS."""
    code, printed, said = daemon.run("check")
    text = printed + said
    missing = [word for word in words if word.lower() not in text.lower()]
    expect(code == 1 and not missing, f"check: exit code {code}, lacks {missing}:\n{text}")
