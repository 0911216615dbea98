"""Failures on request: what happens at the N-th statement that a pattern finds.

A fault is a dictionary: `pattern` (a regular expression, searched for in the statement without regard to
case), `nth` (1 by default, counted from when the fault was set), `times` (1 by default), `behind` (a pattern too: only in
a transaction that had a statement with it before), and an `action`:
    error         `sqlstate`, `message`, `detail`: refused with this error, without having run
    kill_before   the connection ends, the statement did not run
    kill_after    the statement ran, the connection ends before the answer
    delay         waits for `seconds`, then runs it, whether or not the client is still there
    kill_during   a COPY: the connection ends while it loads; it goes on (one outside a transaction commits)
    restart       all sessions end, the statement's first; nobody is let in for `seconds`
"""

import re
import threading
import time
from contextlib import contextmanager

from wire import Refused

ACTIONS = ("error", "kill_before", "kill_after", "delay", "kill_during", "restart")
# Errors by the name of what goes wrong: SQLSTATE, message, detail.
KNOWN = {
    "serializable": ("XX000", "1023", "Serializable isolation violation on table - 100167, transactions forming"
                     " the cycle are: 1234, 1235 (pid:4321)"),
    "conflict": ("XX000", "could not complete because of conflict with concurrent transaction", None),
    "deadlock": ("40P01", "deadlock detected", None),
    "abort": ("XX000", "system requested abort", "error: system requested abort code: 1020"),
    "timeout": ("57014", "Query (150) cancelled on user's request", None),
    "out_of_memory": ("53200", "out of memory", "Failed on request of size 8388608."),
    "disk_full": ("XX000", "Disk Full", "error: Disk Full code: 1016"),
    "resize": ("XX000", "Cannot execute write query because system is in resize mode", None),
    "1018": ("XX000", "Relation does not exist", "error: Relation does not exist. code: 1018"),
}


class Kill(Exception):
    """The session ends here."""


class Faults:
    """The faults that are set; used by all sessions."""

    def __init__(self, server):
        self._server, self._set, self._lock = server, [], threading.Lock()
        self._expired = 0

    def add(self, fault):
        fault = {"nth": 1, "times": 1, **fault}
        if fault.get("action") not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}")
        if fault["action"] == "error" and fault.get("known"):
            fault["sqlstate"], fault["message"], fault["detail"] = KNOWN[fault["known"]]
        for pattern in (fault["pattern"], fault.get("behind", "")):
            re.compile(pattern)
        with self._lock:
            self._set.append({**fault, "seen": 0, "fired": 0})

    def clear(self):
        with self._lock:
            self._set.clear()
            self._expired = 0

    def list(self):
        with self._lock:
            return [dict(fault) for fault in self._set]

    def expire_logins(self, count):
        """The next COUNT logins are told that their credentials have expired."""
        self._expired = count

    def login_expired(self):
        with self._lock:
            expired = self._expired > 0
            self._expired -= expired
            return expired

    def _take(self, text, before):
        """The fault that strikes at a statement, or None. BEFORE: those of its transaction."""
        with self._lock:
            for fault in self._set:
                if not re.search(fault["pattern"], text, re.I | re.S):
                    continue
                if "behind" in fault and not any(re.search(fault["behind"], said, re.I | re.S) for said in before):
                    continue
                fault["seen"] += 1
                if fault["seen"] >= fault["nth"] and fault["fired"] < fault["times"]:
                    fault["fired"] += 1
                    return fault
        return None

    @contextmanager
    def around(self, session, text):
        """Runs a statement with what befalls it."""
        session.said = session.said if session.state != b"I" else []
        fault = self._take(text, session.said)
        session.said.append(text)
        action = fault["action"] if fault else None
        session.kill_during = action == "kill_during"
        if action == "error":
            raise Refused(9, fault["sqlstate"], fault["message"], fault.get("detail"))
        if action == "kill_before":
            raise Kill
        if action == "restart":
            self._server.restart(fault.get("seconds", 1))
            raise Kill
        if action == "delay":
            time.sleep(fault.get("seconds", 1))
        if action == "kill_after":
            session.muted = True
        yield
        if action == "kill_after":
            raise Kill
