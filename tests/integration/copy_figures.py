#!/usr/bin/python3
"""Goal: what is said of copies under way (status, page, metrics, `status --watch`, log) is what a known workload makes it:
never more than all, never going back, rates and remaining time only where something moves."""

import fcntl
import json
import math
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import little_ahead  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# More than may be staged ahead of the target.
BIG_ROWS = 200_000
SMALL_ROWS, SMALL_BYTES = 1000, 40960
TABLES = f"""
CREATE TABLE public.big (id int PRIMARY KEY, n int, pad text);
INSERT INTO public.big SELECT g, 0, repeat(md5(g::text), 32) FROM generate_series(1, {BIG_ROWS}) g;
CREATE TABLE public.one (id int PRIMARY KEY); INSERT INTO public.one SELECT generate_series(1, {SMALL_ROWS});
CREATE TABLE public.two (id int PRIMARY KEY); INSERT INTO public.two SELECT generate_series(1, {SMALL_ROWS});
ANALYZE"""
CHANGED_ROWS = 50_000
# The server waits for us to take more rows.
HALTED = ("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND query LIKE 'COPY (%big%'")
PACE = ("rows_per_second", "bytes_per_second", "seconds_left")


def metrics(daemon):
    return {name: float(value) for name, value in
            re.findall(r"^(\w+) (\S+)$", daemon.get("/metrics")[1], re.M)}


def coming(status, table="public.big"):
    found = [each for each in status["tables"]["coming"] if each["table"] == table]
    return found[0] if found else {}


def at_rest(daemon):
    """The same status before and after the other pages."""
    while True:
        status = daemon.status()
        pages = metrics(daemon), daemon.get("/")[1], daemon.run("status")[1]
        again = daemon.status()
        if status["tables"] == again["tables"]:
            return status, pages


class Samples(threading.Thread):
    """What the status said, as often as it can be asked, until stopped."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_asked, self.taken, self.done = daemon, [], False

    def run(self):
        while not self.done:
            status = self.daemon_asked.status()
            if status:
                self.taken.append(status)
            time.sleep(0.05)

    def end(self):
        self.done = True
        self.join()
        return self.taken


def check_halted(daemon, size):
    """Everything stands still inside the big table, of SIZE bytes."""
    status, (values, page, printed) = at_rest(daemon)
    big, copies = coming(status), status["tables"]["copies"]
    expect(big["state"] == "copying" and big["bytes_estimated"] == size, f"{big}, not {size} bytes")
    expect(big["rows_estimated"] == BIG_ROWS and 0 < big["rows"] < BIG_ROWS, f"rows: {big}")
    share = big["rows"] / BIG_ROWS
    expect(abs(big["bytes"] / size - share) < 0.02, f"{big['bytes']} of {size} bytes, {share:.3f} of the rows")
    tables = status["tables"]["coming"]
    counts = {state: sum(each["state"] == state.replace("_", " ") for each in tables)
              for state in ("waiting", "copying", "catching_up")}
    expect({state: copies[state] for state in counts} == counts, f"{counts}: {copies}")
    expect(copies["live"] == 3 - len(tables), f"those that are not on their way: {copies}, {tables}")
    for name, of_live in (("rows", SMALL_ROWS), ("bytes", SMALL_BYTES), ("bytes_estimated", SMALL_BYTES)):
        value = sum(each[name] for each in tables) + copies["live"] * of_live
        expect(copies[name] == value, f"{name} of all: {copies}, {tables}")
    for name, value in (("tables_coming", len(tables)), *((f"tables_{state}", count) for state, count in counts.items()),
                        ("copy_rows", copies["rows"]), ("copy_bytes", copies["bytes"]),
                        ("copy_rows_per_second", copies["rows_per_second"] or 0),
                        ("copy_bytes_per_second", copies["bytes_per_second"] or 0),
                        ("copy_estimated_bytes", copies["bytes_estimated"]), ("catch_up_journal_bytes", copies["journal_bytes_left"])):
        # Prometheus' text has six digits.
        expect(math.isclose(values[f"re_dms_{name}"], value, rel_tol=1e-5), f"re_dms_{name}: {values}")
    percent = 100 * big["bytes"] // size
    for text in (page, printed):
        expect(re.search(rf"^  public\.big  \[#*-+\] +{percent} %  copying, {big['rows']:,} of about {BIG_ROWS:,} rows", text,
                         re.M), f"{percent} %:\n{text}")
        expect(re.search(r"^  all +\[#*-+\] +\d+ %  .*\d copying.* since \d\d:\d\d:\d\d UTC$", text, re.M), text)


def check_terminal(daemon):
    """On a terminal the page is drawn in its place, cut to its size, until Ctrl-C."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 90, 0, 0))
    watch = subprocess.Popen(daemon.command("status", "--watch"), stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = ""
    while text.count("\033[H") < 4:  # the first clears the screen
        text += os.read(ours, 65536).decode()
    watch.send_signal(signal.SIGINT)
    expect(watch.wait(30) == -signal.SIGINT, "Ctrl-C ends it")
    os.close(ours)
    page = text.split("\033[H")[2]
    expect(page.startswith("re_dms") and page.endswith("\033[J"), repr(page))
    lines = page.replace("\033[K", "").split("\r\n")
    expect(max(map(len, lines)) == 90 and any("public.big" in line for line in lines), f"cut to 90 columns: {lines}")


def check_samples(samples):
    moving = [status for status in samples if status["tables"]["copies"]["since"]]
    paces = [status["tables"]["copies"] for status in moving if status["tables"]["copies"]["seconds_left"]]
    expect(paces, "the pace was shown")
    for status in moving:
        for each in (status["tables"]["copies"], *status["tables"]["coming"]):
            expect(each["bytes"] <= each["bytes_estimated"], f"more than all: {each}")
            expect(each["seconds_left"] is None or each["bytes_per_second"] > 0, f"time without pace: {each}")
    done = [status["tables"]["copies"]["bytes"] for status in moving]
    expect(done == sorted(done), f"it went back: {done}")
    late = [(status, coming(status)) for status in moving if coming(status).get("state") == "catching up"]
    left = [(status["journal"]["bytes"], big["journal_bytes_left"]) for status, big in late if big["journal_bytes_left"]]
    expect(left, f"catching up said what is left: {[big for _, big in late]}")
    expect(all(some <= journal + (1 << 20) for journal, some in left), f"more than the journal has: {left}")
    expect(max(some for _, some in left) > CHANGED_ROWS * 1000, f"{CHANGED_ROWS} rows of a KiB are to be read: {left}")


def check_log(daemon):
    lines = [json.loads(line) for line in daemon.log_text().splitlines()]
    progress = [line for line in lines if line["event"] == "copy_progress"]
    expect(progress, "a copy of more than ten seconds is in the log")
    expect(re.match(r"(\d waiting, )?\d copying.*; .* of about .* \(\d+ %\)", progress[0]["message"]), str(progress[0]))
    done = [line for line in lines if line["event"] == "copies_done"]
    expect([(line["tables"], line["rows"]) for line in done] == [(3, BIG_ROWS + 2 * SMALL_ROWS)], str(done))
    expect(lines.index(progress[-1]) < lines.index(done[0]), "nothing more once all is copied")


def main():
    with scenario(TABLES, options=little_ahead()) as (server, daemon):
        size = int(server.value("SELECT pg_relation_size('big')"))
        daemon.start().wait_ready()
        samples = Samples(daemon)
        samples.start()
        with open(daemon.folder / "watch", "wb") as out:
            watch = subprocess.Popen(daemon.command("status", "--watch"), stdout=out, stderr=out)
        daemon.wait("the target has some rows of it", lambda: coming(daemon.status()).get("rows", 0) > 0)
        # Nothing is loaded while somebody reads the file: the copy comes to a halt inside the table.
        with DuckdbFile(str(daemon.warehouse)):
            daemon.wait("it stands still", lambda: server.value(HALTED) == "1")
            server.psql(f"UPDATE big SET n = 1 WHERE id <= {CHANGED_ROWS}")
            daemon.wait_journaled()
            check_halted(daemon, size)
            check_terminal(daemon)
            daemon.wait("the log says how far it is", lambda: "copy_progress" in daemon.log_text())
        daemon.wait_live(4, 120)
        check_samples(samples.end())
        daemon.catch_up()
        copies = daemon.status()["tables"]["copies"]
        expect(all(not value for value in copies.values()), f"nothing is on its way: {copies}")
        expect(metrics(daemon)["re_dms_copy_remaining_seconds"] == 0, "nothing is copied")
        daemon.wait("the log's last line", lambda: "copies_done" in daemon.log_text())
        daemon.compare()
        expect(daemon.stop() == 0, "exit code")
        expect(watch.wait(30) == 0, "the watch ends with the daemon, with its last exit code")
        lines = (daemon.folder / "watch").read_text(encoding="utf-8").splitlines()
        expect(len(lines) > 10 and "has ended" in lines[-1], f"watch: {lines}")
        expect(any(re.match(r"\S+ \S+  streaming, \d live; .*\d copying", line) for line in lines), str(lines))
        expect(lines[-2].split(", ")[1].startswith("4 live"), f"watch: {lines[-2]}")
        check_log(daemon)


main()
