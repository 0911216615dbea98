"""A Debian 12 in a folder of its own, as a new machine would be, in which tests install and run things.

    with CleanRoot(systemd=True) as root:
        root.run("apt-get install -q -y postgresql-15 && systemctl status postgresql")

It is a copy of one that debootstrap made once for this checkout, in build/clean_root; packages are kept there
too. Its processes have namespaces of their own, with a systemd as process 1 where that is asked for, and end with
it; it shares the network. Only root can make one. All that was printed in it is in `said`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = ROOT / "build" / "clean_root"
# Of the machine: how apt gets through to its mirror.
NETWORK_FILES = ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"]
PLAIN = "ca-certificates"
SYSTEMD = "ca-certificates,systemd,systemd-sysv,dbus"
# They want terminals of the machine, or apt while a test does.
MASKED = ["getty.target", "console-getty.service", "getty@.service", "systemd-logind.service", "e2scrub_reap.service",
          "apt-daily.timer", "apt-daily-upgrade.timer"]
# Where no systemd runs, the installation of a package starts no service.
POLICY = "#!/bin/sh\nexit 101\n"
CGROUPS = Path("/sys/fs/cgroup")

# A root that is a mount of its own: services with mounts of theirs need that.
MOUNT = """set -e
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount -t sysfs sysfs "$0/sys"
mount --rbind /dev "$0/dev"
mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm"
# Services that end take the shared memory of their user with them (RemoveIPC), whoever has that number here.
mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$0/run"
mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
"""
# With cgroups in the one or the other way that kernels have them.
BOOT_V1 = """mount -t tmpfs -o mode=755 tmpfs "$0/sys/fs/cgroup"
mkdir "$0/sys/fs/cgroup/systemd"
mount -t cgroup -o none,name=systemd cgroup "$0/sys/fs/cgroup/systemd"
"""
BOOT_V2 = 'mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"\n'
ENTER = 'cd "$0"; mkdir -p old; pivot_root . old; umount -l /old; rmdir /old; mount --make-rshared /; echo mounted\n'
BOOT = "exec env -i container=re_dms_test /lib/systemd/systemd --unit=multi-user.target >/dev/null 2>&1\n"
# Reaps what loses its parent.
WAIT = "while :; do sleep 0.1; done\n"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/srv", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}


class RootError(Exception):
    """A command in a clean root failed; the text is what it printed."""


def mirror():
    """The address from which this machine's apt takes Debian 12."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
                             "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        address, codename, component = line.split()
        if (codename, component) == ("bookworm", "main"):
            return address
    raise RootError("apt on this machine knows no Debian 12 (bookworm main): run apt-get update")


@contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def base(systemd):
    """The root that others are copies of; made at the first call."""
    kind = "systemd" if systemd else "plain"
    made_by = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    with locked(MADE / "lock"):
        folder = MADE / f"debian_12_{kind}_{made_by}"
        if not folder.exists():
            for outdated in MADE.glob(f"debian_12_{kind}_*"):
                shutil.rmtree(outdated)
            fresh = MADE / "fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={SYSTEMD if systemd else PLAIN}", "bookworm",
                                   fresh, mirror()], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise RootError(f"debootstrap failed:\n{made.stdout[-3000:]}{made.stderr[-3000:]}")
            prepare(fresh, systemd)
            fresh.rename(folder)
        (MADE / "archives").mkdir(exist_ok=True)
        return folder


def prepare(folder, systemd):
    for path in NETWORK_FILES:
        if Path(path).exists():
            shutil.copy(path, folder / path[1:])
    for path in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(path, folder / "etc" / "apt" / "apt.conf.d")
    (folder / "etc/apt/apt.conf.d/99kept").write_text('Binary::apt-get::APT::Keep-Downloaded-Packages "true";\n'
                                                      'APT::Keep-Downloaded-Packages "true";\n', encoding="utf-8")
    for package in (folder / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    # What a power cut would undo needs no fsync here.
    (folder / "etc/dpkg/dpkg.cfg.d/unsafe_io").write_text("force-unsafe-io\n", encoding="utf-8")
    for unit in MASKED if systemd else ():
        (folder / "etc/systemd/system" / unit).symlink_to("/dev/null")
    if not systemd:
        policy = folder / "usr/sbin/policy-rc.d"
        policy.write_text(POLICY, encoding="utf-8")
        policy.chmod(0o755)


def is_cgroup_v2():
    return (CGROUPS / "cgroup.procs").exists()


class CleanRoot:
    """One root; `with` it, its processes run."""

    def __init__(self, *, systemd=False):
        self.said = ""
        self.folder = None
        self._systemd = systemd
        self._init = self._parent = self._cgroup = None

    def __enter__(self):
        made = base(self._systemd)
        self.folder = Path(tempfile.mkdtemp(prefix="root.", dir=MADE))
        subprocess.run(["cp", "-a", "--reflink=auto", f"{made}/.", self.folder], check=True)
        for package in (MADE / "archives").glob("*.deb"):
            os.link(package, self.folder / "var/cache/apt/archives" / package.name)
        self._begin()
        self.run("apt-get update -q")
        return self

    def _begin(self):
        script, enter = MOUNT, ""
        if self._systemd:
            hierarchy = CGROUPS if is_cgroup_v2() else CGROUPS / "systemd"
            self._cgroup = hierarchy / self.folder.name
            self._cgroup.mkdir()
            enter = f"echo $$ > {self._cgroup}/cgroup.procs; "
            script += (BOOT_V2 if is_cgroup_v2() else BOOT_V1) + ENTER + BOOT
        else:
            script += ENTER + WAIT
        unshare = "exec unshare --mount --pid --ipc --uts --cgroup --fork --kill-child sh -c \"$0\" \"$1\""
        self._parent = subprocess.Popen(["sh", "-c", enter + unshare, script, self.folder],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self._parent.stdout.readline() != "mounted\n":
            raise RootError("the mounts of a clean root could not be made")
        children = Path(f"/proc/{self._parent.pid}/task/{self._parent.pid}/children")
        self._init = children.read_text(encoding="utf-8").split()[0]
        if self._systemd:
            self.wait("systemd is up", "systemctl is-system-running --wait", also=("degraded",))

    def __exit__(self, kind=None, *_):
        if kind and self._systemd:
            print(self.run("journalctl --no-pager -u 're_dms*' -n 40 -o cat", check=False)[1])
        self._parent.kill()
        self._parent.wait()
        self._parent.stdout.close()
        with locked(MADE / "lock"):
            for package in (self.folder / "var/cache/apt/archives").glob("*.deb"):
                if not (MADE / "archives" / package.name).exists():
                    os.link(package, MADE / "archives" / package.name)
        # Its cgroups and mounts are let go by the last process that had them.
        if self._cgroup:
            self._until(lambda: not self._cgroup.exists(),
                        ["find", self._cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
        self._until(lambda: not self.folder.exists(), ["rm", "-rf", "--one-file-system", self.folder])

    @staticmethod
    def _until(done, command):
        """Runs COMMAND until it has done its work, for 20 seconds at most."""
        deadline = time.monotonic() + 20
        subprocess.run(command, capture_output=True, check=False)
        while not done() and time.monotonic() < deadline:
            time.sleep(0.2)
            subprocess.run(command, capture_output=True, check=False)

    def path(self, inside):
        """Where a path of the root is on this machine; not of what is mounted in it (/run, /tmp)."""
        return self.folder / str(inside).lstrip("/")

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def copy(self, source, inside):
        self.path(inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, self.path(inside))

    def command(self, script, user="root", environment=None):
        """The words that run a shell script in it."""
        run_as = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        variables = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(environment or {})}.items()]
        return ["nsenter", f"--target={self._init}", "--mount", "--pid", "--ipc", "--uts", "--cgroup", *run_as,
                "env", "-i", *variables, "sh", "-ec", script]

    def run(self, script, *, user="root", environment=None, check=True, seconds=900):
        """Runs a shell script to its end; returns what it printed, or (code, text) unless CHECK."""
        done = subprocess.run(self.command(script, user, environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, check=False, timeout=seconds)
        self.said += f"$ {script}\n{done.stdout}"
        if not check:
            return done.returncode, done.stdout
        if done.returncode != 0:
            raise RootError(f"{script}: exit code {done.returncode}\n{done.stdout[-6000:]}")
        return done.stdout

    def start(self, script, log, *, user="root", environment=None):
        """Starts a shell script whose output goes to the file LOG of this machine."""
        with open(log, "ab") as output:
            return subprocess.Popen(self.command(script, user, environment), stdout=output, stderr=output,
                                    stdin=subprocess.DEVNULL)

    def wait(self, what, script, *, user="root", seconds=60, also=()):
        """Waits until a script succeeds, or prints one of ALSO; returns what it printed then."""
        deadline = time.monotonic() + seconds
        while True:
            code, text = self.run(script, user=user, check=False)
            if code == 0 or text.strip() in also:
                return text
            if time.monotonic() > deadline:
                raise RootError(f"not within {seconds} s: {what}\n{text}")
            time.sleep(0.2)

    def install(self, folder, names="*"):
        """As a person does it: the packages of FOLDER with apt-get; returns what that printed."""
        self.run("rm -rf /srv/packages")
        for path in Path(folder).glob("*.deb"):
            self.copy(path, f"/srv/packages/{path.name}")
        return self.run(f"apt-get install -q -y --no-install-recommends /srv/packages/{names}.deb")


def require_root():
    if os.geteuid() != 0:
        raise RootError("only root can make a clean root: run this test as root")
