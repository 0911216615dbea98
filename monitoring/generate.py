#!/usr/bin/python3
"""Makes what others need to know of the metrics, from the lists in the source.

    generate.py PROGRAM            writes the files anew; PROGRAM is metric_list of the build
    generate.py PROGRAM --check    names each file that is not as it would be written, and exits 1

docs/metrics.md, Prometheus' alert rules with their unit tests, a Grafana dashboard, and CloudWatch's
dashboard and alarms as a CloudFormation template. docs/runbook.md is written by hand; --check
compares its headings with the alerts.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cloudwatch  # noqa: E402  (beside this file)
import grafana  # noqa: E402
import prometheus  # noqa: E402

ROOT = HERE.parent
RUNBOOK = ROOT / "docs" / "runbook.md"
METRIC = re.compile(r"\bre_dms_[a-z0-9_]+\b")
SUFFIXES = ("_bucket", "_count", "_sum")


def listed(program):
    """{"metrics": [...], "alerts": [...]} as metric_list_json.cc prints them."""
    return json.loads(subprocess.run([program], capture_output=True, text=True, check=True).stdout)


def document(lists):
    """docs/metrics.md."""
    lines = ["# Metrics", "",
             "Made by `monitoring/generate.py` from `src/observe/metric_list.h` and `alert_list.h`.", "",
             "`/metrics` shows all of them in Prometheus' text format. StatsD and CloudWatch get the same names:",
             "gauges as they are, counters by how much they grew since the last round that arrived; of a histogram,",
             "StatsD gets the counters `NAME_count`, `NAME_sum` and, with tags, `NAME_bucket`, and CloudWatch the",
             "values of its buckets. CloudWatch gets no series of single tables. A metric is there once it has a value.",
             "", "| metric | type | unit | label | meaning |", "| --- | --- | --- | --- | --- |"]
    for metric in lists["metrics"]:
        label = f"`{metric['label']}`" if metric["label"] else ""
        lines.append(f"| `{metric['name']}` | {metric['type']} | {metric['unit']} | {label} | {metric['help']} |")
    lines += ["", "## Alerts", "",
              "As Prometheus' rules (`monitoring/prometheus/alerts.yml`) and CloudWatch's alarms",
              "(`monitoring/cloudwatch/template.json`). What to do is in [the runbook](runbook.md).", "",
              "| alert | severity | when | meaning |", "| --- | --- | --- | --- |"]
    for alert in lists["alerts"]:
        lines.append(f"| [{alert['name']}](runbook.md#{alert['name'].lower()}) | {alert['severity']} | "
                     f"`{prometheus.expression(alert)}` for {prometheus.duration(alert)} | {alert['summary']} |")
    return "\n".join(lines) + "\n"


def made(lists):
    """{path: content} of every file."""
    return {
        ROOT / "docs" / "metrics.md": document(lists),
        HERE / "prometheus" / "alerts.yml": prometheus.rules(lists["alerts"]),
        HERE / "prometheus" / "alerts_test.yml": prometheus.rule_tests(lists),
        HERE / "grafana" / "dashboard.json": json.dumps(grafana.dashboard(), indent=2) + "\n",
        HERE / "cloudwatch" / "template.json": json.dumps(cloudwatch.template(lists), indent=2) + "\n",
    }


def unknown_names(text, lists):
    """What looks like a metric in TEXT and is none."""
    names = {metric["name"] for metric in lists["metrics"]}
    histograms = {metric["name"] for metric in lists["metrics"] if metric["type"] == "histogram"}
    known = names | {name + suffix for name in histograms for suffix in SUFFIXES}
    return sorted(set(METRIC.findall(text)) - known)


def faults(lists):
    found = []
    for path, content in made(lists).items():
        name = path.relative_to(ROOT)
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            found.append(f"{name} is stale: run monitoring/generate.py")
        if path.suffix != ".md" and (unknown := unknown_names(content, lists)):
            found.append(f"{name} names metrics that do not exist: {', '.join(unknown)}")
    return found + runbook_faults(RUNBOOK.read_text(encoding="utf-8"), lists)


def runbook_faults(text, lists):
    """Each alert has an entry of three parts, and no entry is without its alert."""
    found = []
    entries = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    alerts = {alert["name"] for alert in lists["alerts"]}
    found += [f"docs/runbook.md has no entry for {name}" for name in sorted(alerts - entries.keys())]
    found += [f"docs/runbook.md has an entry for {name}, which is no alert" for name in sorted(entries.keys() - alerts)]
    for name, body in entries.items():
        found += [f"docs/runbook.md: {name} does not say: {part}" for part in ("Means", "Look at", "Do")
                  if f"**{part}.**" not in body]
    unknown = unknown_names(text, lists)
    return found + [f"docs/runbook.md names metrics that do not exist: {', '.join(unknown)}"] * bool(unknown)


def main():
    lists = listed(sys.argv[1])
    if sys.argv[2:] == ["--check"]:
        found = faults(lists)
        print("\n".join(found) or "all files are as they would be made")
        sys.exit(1 if found else 0)
    for path, content in made(lists).items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
