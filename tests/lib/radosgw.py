#!/usr/bin/python3
"""A real S3 server for tests: Ceph's radosgw with the one monitor and the one disk daemon it needs.

    radosgw.py FOLDER [LINE...]    LINEs are added to radosgw's settings: "rgw max concurrent requests = 2"

Starts it with all its files in FOLDER, prints one line of JSON (`Radosgw.facts`) and serves until its
standard input ends or it dies itself; the servers never outlive it. The line "restart" starts a radosgw
that somebody has killed, and prints the facts again. Needs nobody's rights and no cephx: it listens on
127.0.0.1 only.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
from certificate import certificate_command  # noqa: E402  (beside this file)

PATIENCE_SECONDS = 60
# name: access key, secret
USERS = {"owner": ("AKIATESTOWNER0000000", "owner+secret/with.signs00000000000000000"),
         "stranger": ("AKIATESTSTRANGER0000", "strangersecret00000000000000000000000000")}
KMS_KEY = "testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo="

# radosgw alone would ask for encryption, which "auth = none" cannot give: it would hang for 300 s. The
# short intervals of paxos make a start take three seconds instead of fourteen. What is told to all
# radosgw (a new bucket) waits that long for one that was killed.
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon_port}/0
ms bind msgr1 = false
osd client watch timeout = 1
ms mon client mode = crc
client mount timeout = 20
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
crash dir = {folder}
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
paxos propose interval = .02
paxos min wait = .01
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
mon osd full ratio = .99
osd failsafe full ratio = .999
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1 ssl_endpoint=127.0.0.1:{tls_port} \
ssl_certificate={folder}/tls.crt ssl_private_key={folder}/tls.key
rgw thread pool size = 64
rgw enable usage log = false
rgw dns name = localhost
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms_key}
{more}
"""


class RadosgwError(Exception):
    """Ceph is not installed or a program of it failed; the text is its own."""


def free_ports(count):
    """Ports nobody listens on, of those that no outgoing connection is given."""
    ports = set()
    while len(ports) < count:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randint(16384, 32767)))
                ports.add(probe.getsockname()[1])
            except OSError:
                pass
    return sorted(ports)


class Radosgw:
    """Runs from its making until stop()."""

    def __init__(self, folder, more_lines=()):
        self.folder = Path(folder)
        for program in ("radosgw", "ceph-mon", "ceph-osd", "ceph"):
            if not shutil.which(program):
                raise RadosgwError(f"no {program} here (Debian: radosgw ceph-mon ceph-osd ceph-common)")
        self._port, self._tls_port, mon_port = free_ports(3)
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir(parents=True)
        self._fsid = Path("/proc/sys/kernel/random/uuid").read_text(encoding="ascii").strip()
        self._configuration = self.folder / "ceph.conf"
        self._configuration.write_text(
            CONFIGURATION.format(fsid=self._fsid, folder=self.folder, mon_port=mon_port,
                                 port=self._port, tls_port=self._tls_port, kms_key=KMS_KEY,
                                 more="\n".join(more_lines)), encoding="utf-8")
        self._run(*certificate_command(self.folder / "tls.key", self.folder / "tls.crt"))
        self._daemons = {}
        try:
            self._start_monitor(mon_port)
            self._start_disk()
            self._make_users()
            self.start_gateway()
        except BaseException:
            self.stop()
            raise

    def facts(self):
        """What a client needs."""
        return {"endpoint": f"http://127.0.0.1:{self._port}",
                "named_endpoint": f"http://localhost:{self._port}",
                "tls_endpoint": f"https://localhost:{self._tls_port}",
                "ca_file": str(self.folder / "tls.crt"),
                "kms_key_id": KMS_KEY.split("=", maxsplit=1)[0],
                "users": USERS,
                "pid": self._daemons["radosgw"].pid}

    def start_gateway(self):
        """Starts radosgw and waits until it answers."""
        old = self._daemons.pop("radosgw", None)
        if old:
            old.kill()
            old.wait()
        self._start("radosgw", "-n", "client.rgw")
        self._wait("radosgw answers", self._answers)

    def stop(self):
        """Ends everything at once; what is in FOLDER is of no use afterwards."""
        for daemon in self._daemons.values():
            daemon.kill()
        for daemon in self._daemons.values():
            daemon.wait()

    def _run(self, *command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False, cwd=self.folder,
                              env={**os.environ, "CEPH_CONF": str(self._configuration)})
        if done.returncode:
            raise RadosgwError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
        return done.stdout

    def _start(self, program, *arguments):
        with open(self.folder / f"{program}.out", "ab") as output:
            self._daemons[program] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, "-f", "-c", str(self._configuration),
                 *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder)

    def _wait(self, what, is_so):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            dead = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            if dead or time.monotonic() > deadline:
                said = "".join(path.read_text(errors="replace")[-2000:]
                               for path in self.folder.glob("*.out"))
                raise RadosgwError(f"not so: {what}; ended: {dead}\n{said}")
            time.sleep(0.05)

    def _answers(self):
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                self.facts()["endpoint"], timeout=2)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def _start_monitor(self, port):
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap",
                  "mon", "allow *")
        for name in ("client.admin", "client.rgw", "osd.0"):
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, "--cap", "mon", "allow *",
                      "--cap", "osd", "allow *")
        self._run("monmaptool", "--create", "--clobber", "--fsid", self._fsid, "--enable-all-features",
                  "--addv", "a", f"[v2:127.0.0.1:{port}/0]", monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._start("ceph-mon", "-i", "a")

    def _start_disk(self):
        identity = Path("/proc/sys/kernel/random/uuid").read_text(encoding="ascii").strip()
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity, "--no-mon-config")
        self._ceph("osd", "new", (self.folder / "osd" / "fsid").read_text(encoding="ascii").strip())
        self._ceph("osd", "crush", "add", "0", "1", "root=default", "host=local")
        self._start("ceph-osd", "-i", "0")
        self._wait("the osd is up", lambda: "1 up" in self._ceph("osd", "stat"))

    def _ceph(self, *command):
        return self._run("ceph", "--connect-timeout", "20", *command)

    def _make_users(self):
        for name, (key, secret) in USERS.items():
            self._run("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid", name,
                      "--display-name", name, "--access-key", key, "--secret-key", secret)


def main(folder, *more_lines):
    server = Radosgw(folder, more_lines)
    try:
        print(json.dumps(server.facts()), flush=True)
        for line in sys.stdin:
            if line.strip() == "restart":
                server.start_gateway()
                print(json.dumps(server.facts()), flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
