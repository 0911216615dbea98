#!/usr/bin/python3
"""Goal: Prometheus itself takes what re_dms shows and what monitoring/ has for it: promtool finds no fault in
/metrics, in the alert rules and in their tests; a server scrapes a daemon, and an alert fires and clears."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from postgres import free_port  # noqa: E402
from scenario import expect, scenario  # noqa: E402

RULES = ROOT / "monitoring" / "prometheus"


def promtool(*arguments, stdin=None):
    done = subprocess.run(["promtool", *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"promtool {arguments}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Prometheus:
    """A server that scrapes one daemon each half second, with the rules of monitoring/ made quick."""

    def __init__(self, folder, target):
        self.port = free_port()
        folder.mkdir()
        rules = re.sub(r"for: \d+m", "for: 1s", (RULES / "alerts.yml").read_text(encoding="utf-8"))
        (folder / "alerts.yml").write_text(rules, encoding="utf-8")
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\nrule_files: [alerts.yml]\n"
            f"scrape_configs: [{{job_name: re_dms, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n",
            encoding="utf-8")
        promtool("check", "config", folder / "prometheus.yml")
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def firing(self):
        try:
            alerts = self.ask("alerts")["alerts"]
        except OSError:
            return None
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def wait(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition(self.firing()):
            expect(time.monotonic() < deadline, f"not within {seconds} s: {what}; firing: {self.firing()}")
            time.sleep(0.1)


def main():
    expect(shutil.which("promtool"), "no promtool: tools/setup extended")
    promtool("check", "rules", RULES / "alerts.yml")
    expect("SUCCESS" in promtool("test", "rules", RULES / "alerts_test.yml"), "the rules' tests")
    options = {"observe.slot_interval": "300ms", "table": [{"match": "public.bad", "bad_values": "error"}]}
    with scenario("CREATE TABLE public.bad (id int PRIMARY KEY, n numeric(10,2))", options=options) as (server, daemon):
        daemon.start().wait_live(2)
        daemon.catch_up()
        promtool("check", "metrics", stdin=daemon.get("/metrics")[1])
        with Prometheus(daemon.folder / "prometheus", daemon.port) as prometheus:
            prometheus.wait("it scrapes, and nothing fires", lambda firing: firing == set()
                            and prometheus.ask("query?query=re_dms_up")["result"])
            server.psql("INSERT INTO bad VALUES (1, 'NaN')")
            prometheus.wait("the alert fires", lambda firing: firing == {"ReDmsTableSetAside"})
            server.psql("DELETE FROM bad")
            code, said, problem = daemon.run("resync", "public.bad")
            expect(code == 0, said + problem)
            prometheus.wait("it clears", lambda firing: firing == set())
            daemon.stop()
            prometheus.wait("a daemon that is gone", lambda firing: firing and "ReDmsNotRunning" in firing)


main()
