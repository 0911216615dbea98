"""Runs programs and measures them: wall clock, CPU by thread, peak memory."""

import os
import re
import subprocess
import threading
import time
from collections import namedtuple

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.05

Measured = namedtuple("Measured", "code seconds cpu rss_bytes threads output")


class MeasureError(Exception):
    """A measured program failed."""


def cpu_of(stat):
    """(name, seconds of CPU) from the text of a /proc stat file."""
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2 :].split()
    return name, (int(fields[11]) + int(fields[12])) / TICKS


def alive(pid):
    """Whether our child PID still runs; it is not reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


class Sampler:
    """Watches a process from outside; keeps the last values seen, so nothing is lost but a moment."""

    def __init__(self, pid=None):
        self.pid = pid
        self.threads = {}  # thread id -> (name, seconds)
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(SAMPLE_SECONDS):
            if self.pid is not None:
                self.sample()

    def sample(self):
        try:
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{thread}/stat", encoding="utf-8") as stat:
                    self.threads[thread] = cpu_of(stat.read())
            # What wait4 tells includes the memory of this program, as it was when it forked.
            with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
                peak = re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.M)
                self.peak_bytes = int(peak.group(1)) * 1024 if peak else self.peak_bytes
        except (FileNotFoundError, ProcessLookupError):
            pass

    def by_name(self):
        """{thread name without its number: seconds}"""
        sums = {}
        for name, seconds in self.threads.values():
            name = name.rstrip("-0123456789")
            sums[name] = sums.get(name, 0) + seconds
        return sums

    def total(self):
        return sum(seconds for _, seconds in self.threads.values())


def run(command, *, seconds=1200, environment=None, errors=None, watch=None):
    """Runs COMMAND to its end. WATCH(process) is called meanwhile, on this thread."""
    begin = time.monotonic()
    with open(errors or os.devnull, "ab") as stderr:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=stderr,
                                   stdin=subprocess.DEVNULL, env=environment)
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    output = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()))
    reader.start()
    with Sampler(process.pid) as sampler:
        if watch:
            watch(process)
        _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - begin
    killer.cancel()
    reader.join()
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(process.returncode, took, usage.ru_utime + usage.ru_stime,
                    sampler.peak_bytes, sampler.by_name(), output[0].decode())


def must(command, **options):
    measured = run(command, **options)
    if measured.code:
        raise MeasureError(f"exit code {measured.code}: {' '.join(map(str, command))}")
    return measured
