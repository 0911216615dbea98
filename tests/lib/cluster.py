"""A PostgreSQL cluster's folder: which programs make it, whom it belongs to, and the one that is copied.

Started by root, the owner is user postgres.
"""

import os
import shutil
import subprocess
from pathlib import Path

OLDEST = 15
# Made once, by whoever needs one first.
KEPT = Path(__file__).resolve().parents[2] / "build" / "test_cluster"


class PostgresError(Exception):
    """psql, initdb or the server failed; the text is theirs."""


def find_bin():
    """The folder of the server's programs: $POSTGRES_BIN, else of the newest that is installed."""
    if os.environ.get("POSTGRES_BIN"):
        return Path(os.environ["POSTGRES_BIN"])
    found = {}
    for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"):
        if path.parts[-3].isdigit():
            found[int(path.parts[-3])] = path.parent
    if not found or max(found) < OLDEST:
        raise PostgresError(f"no PostgreSQL {OLDEST} or newer below /usr/lib/postgresql")
    return found[max(found)]


def as_owner(*command):
    """COMMAND as the cluster's owner; it ends with this program."""
    prefix = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        prefix += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return [*prefix, *map(str, command)]


def copy_cluster(data, copy):
    """Copies the data folder of a server that does not run; owners are kept."""
    subprocess.run(["cp", "-a", data, copy], check=True)


def make_cluster(programs, data, own_identity):
    """Makes the folder DATA, in one that belongs to the owner: a copy of the cluster that initdb made
    once for this checkout, with its system identifier, or with OWN_IDENTITY one of its own."""
    # Another PostgreSQL gets another one.
    kept = KEPT / f"C.UTF-8-{int((programs / 'initdb').stat().st_mtime)}"
    if kept.exists() and not own_identity:
        copy_cluster(kept, data)
        return
    command = as_owner(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                       "--locale=C.UTF-8", "--no-sync")
    made = subprocess.run(command, capture_output=True, text=True, cwd=data.parent, check=False)
    if made.returncode:
        raise PostgresError(made.stdout + made.stderr)
    if not own_identity:
        keep(data, kept)


def keep(data, kept):
    kept.parent.mkdir(parents=True, exist_ok=True)
    copy = kept.with_name(f"{kept.name}.{data.parent.name}")
    copy_cluster(data, copy)
    try:
        copy.rename(kept)
    except OSError:  # Another test was first.
        shutil.rmtree(copy)
