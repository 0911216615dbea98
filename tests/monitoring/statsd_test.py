#!/usr/bin/python3
"""Goal: a real statsd (npm's) takes what re_dms sends without tags, and has the figures of /metrics."""

import re
import socket
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from daemon import Daemon  # noqa: E402
from postgres import free_port  # noqa: E402
from scenario import expect, scenario  # noqa: E402

STATSD = ROOT / ".deps" / "statsd"


class Statsd:
    """npm's server, and its management port, which shows what it holds."""

    def __init__(self, folder):
        self.port, self.management = free_port(), free_port()
        config = folder / "statsd.js"
        # It keeps counters for as long as its flush interval.
        config.write_text(f"{{port: {self.port}, mgmt_port: {self.management}, address: '127.0.0.1', "
                          "mgmt_address: '127.0.0.1', backends: [], flushInterval: 600000}", encoding="utf-8")
        with open(folder / "statsd.log", "wb") as log:
            self.process = subprocess.Popen(["node", "stats.js", str(config)], cwd=STATSD, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ask(self, command):
        """What it holds of "counters" or "gauges": {name: value}; {} while it does not answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.management), timeout=5) as connection:
                connection.sendall(command.encode() + b"\n")
                text = b""
                while not text.rstrip().endswith(b"END"):
                    text += connection.recv(65536) or b"END"
        except OSError:
            return {}
        return {name: float(value) for name, value in re.findall(r"'?([\w.:-]+)'?: (-?[\d.e+-]+),?", text.decode())}


def main():
    expect(STATSD.is_dir(), "no statsd in .deps: tools/setup extended")
    with scenario("CREATE TABLE public.t (id int PRIMARY KEY, n int)") as (server, plain):
        with Statsd(plain.folder) as statsd, Daemon(server, plain.folder, {
                "observe.statsd": f"127.0.0.1:{statsd.port}", "observe.statsd_tags": False,
                "observe.statsd_interval": "200ms"}) as daemon:
            daemon.start().wait_live(2)
            daemon.wait("statsd answers", lambda: statsd.ask("gauges"))
            server.psql("INSERT INTO t SELECT i, i FROM generate_series(1, 700) i")
            daemon.catch_up()
            daemon.wait("the rows of a table", lambda: statsd.ask("counters").get(
                "re_dms_table_rows_loaded_total.public_t") == 700)
            daemon.wait("a gauge", lambda: statsd.ask("gauges").get("re_dms_tables_live") == 2)
            expect(statsd.ask("counters").get("statsd.bad_lines_seen") == 0, f"bad lines: {statsd.ask('counters')}")
            expect(daemon.stop() == 0, "it ends")


main()
