#!/usr/bin/python3
"""Goal: a daemon whose standard error nobody reads streams, loads and stops; what it said meanwhile comes
when somebody reads."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402


def fill(pipe):
    """Nothing more goes into it."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while True:
            os.write(pipe, b"{}\n" * 100)
    except BlockingIOError:
        # Bytes that are left are fewer than this asks for; a line must not end in the middle of it.
        while True:
            try:
                os.write(pipe, b"\n")
            except BlockingIOError:
                break
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


def start(daemon, log):
    daemon.process = subprocess.Popen(daemon.command("run"), stdout=subprocess.DEVNULL, stderr=log,
                                      stdin=subprocess.DEVNULL, env=daemon.environment)


def main():
    with scenario("CREATE TABLE public.t (id serial PRIMARY KEY, a text)") as (server, daemon):
        reader, log = os.pipe()
        fill(log)
        start(daemon, log)
        daemon.wait_ready()
        for _ in range(3):
            server.psql("INSERT INTO t (a) SELECT md5(i::text) FROM generate_series(1, 1000) i")
            daemon.catch_up()
        expect(daemon.said(("log", "lines_lost")) == 0, "all of it waits")
        # Nobody reads at the end either: it ends all the same.
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        os.close(log)
        os.close(reader)

        reader, log = os.pipe()
        fill(log)
        start(daemon, log)
        os.close(log)
        daemon.wait_ready()
        server.psql("DELETE FROM t WHERE id % 2 = 0")
        daemon.catch_up()
        text = []
        with os.fdopen(reader, encoding="utf-8") as pipe:
            thread = threading.Thread(target=lambda: text.append(pipe.read()))
            thread.start()
            expect(daemon.stop() == 0, "SIGTERM ends it with 0")
            thread.join()
        events = [json.loads(line).get("event") for line in text[0].splitlines() if line]
        expect({"starting", "batch_loaded", "stopping"} <= set(events) and events[-1] == "stopped",
               f"nothing is lost: {[event for event in events if event]}")
        daemon.compare([("public", "t")])


main()
