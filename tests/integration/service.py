#!/usr/bin/python3
"""Goal: systemd hears when the daemon is ready, what it does, that it lives, and that it stops."""

import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import REFUSED, expect, scenario  # noqa: E402


class ServiceManager:
    """The other end of NOTIFY_SOCKET, as systemd has it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self.environment = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "180000000"}

    def next(self, seconds):
        """The lines of the next datagram, or {} when there is none in that time."""
        self._socket.settimeout(seconds)
        try:
            text = self._socket.recv(65536).decode()
        except TimeoutError:
            return {}
        return dict(line.split("=", 1) for line in text.splitlines())

    def wait(self, what, wanted, seconds=60):
        """All lines up to the first for which WANTED(lines) holds, that one last."""
        heard, deadline = [], time.monotonic() + seconds
        while not heard or not wanted(heard[-1]):
            heard.append(self.next(max(0.001, deadline - time.monotonic())))
            expect(heard[-1], f"not heard: {what}; heard {heard}")
        return heard

    def forget(self):
        """Passes over what was told so far."""
        while self.next(0.001):
            pass


def main():
    with tempfile.TemporaryDirectory(prefix="re_dms_notify.") as folder, \
            scenario("CREATE TABLE public.t (id bigint PRIMARY KEY)") as (server, daemon):
        systemd = ServiceManager(folder)
        daemon.environment.update(systemd.environment)
        daemon.start()
        heard = systemd.wait("streaming", lambda said: said.get("STATUS", "").startswith("streaming, "))
        ready = [said for said in heard if said.get("READY") == "1"]
        expect(len(ready) == 1, f"ready is told once, with the first state that is not starting: {heard}")
        expect("tables: " in heard[-1]["STATUS"] and " live" in heard[-1]["STATUS"], heard[-1]["STATUS"])
        expect(all(said["WATCHDOG"] == "1" for said in heard), f"it lives: {heard}")

        daemon.process.send_signal(signal.SIGSTOP)
        systemd.forget()
        expect(not systemd.next(5), "a process that stands still is silent")
        daemon.process.send_signal(signal.SIGCONT)
        systemd.wait("it lives again", lambda said: said.get("WATCHDOG") == "1")

        server.stop()
        systemd.wait("the server is away", lambda said: said.get("STATUS", "").startswith("reconnecting: "))
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        systemd.wait("it stops", lambda said: said.get("STOPPING") == "1", 5)

        systemd.forget()
        daemon.start()
        first = systemd.wait("ready without a server", lambda said: said.get("READY") == "1")[-1]
        expect(first["STATUS"].startswith("reconnecting: "), f"it says what it waits for: {first}")
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")

        server.start()
        server.wait_slots_free()
        server.psql("SELECT pg_drop_replication_slot('re_dms')")
        systemd.forget()
        code = daemon.start().wait_end()
        failed = systemd.wait("why it failed", lambda said: said.get("STATUS", "").startswith("failed: "), 5)[-1]
        expect(code == REFUSED and "slot" in failed["STATUS"], f"exit code {code}, {failed}")


main()
