#!/usr/bin/python3
"""Goal: generate.py --check finds an alert without a runbook entry, a dashboard that names a metric which does
not exist, and a file that is stale."""

import copy
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "monitoring"))
import generate  # noqa: E402

LISTS = generate.listed(sys.argv[1])
RUNBOOK = generate.RUNBOOK.read_text(encoding="utf-8")


class Faults(unittest.TestCase):
    def test_none_now(self):
        self.assertEqual(generate.faults(LISTS), [])

    def test_an_alert_without_a_runbook_entry(self):
        lists = copy.deepcopy(LISTS)
        lists["alerts"].append(lists["alerts"][0] | {"name": "ReDmsNew"})
        self.assertEqual(generate.runbook_faults(RUNBOOK, lists), ["docs/runbook.md has no entry for ReDmsNew"])
        self.assertIn("docs/metrics.md is stale: run monitoring/generate.py", generate.faults(lists))

    def test_an_entry_without_its_alert(self):
        text = RUNBOOK + "\n## ReDmsOld\n\n**Means.** x\n**Look at.** x\n**Do.** x\n"
        self.assertEqual(generate.runbook_faults(text, LISTS), ["docs/runbook.md has an entry for ReDmsOld, which is no alert"])

    def test_an_entry_that_lacks_a_part(self):
        self.assertIn("docs/runbook.md: ReDmsBehind does not say: Do",
                      generate.runbook_faults(RUNBOOK.replace("**Do.**", "**Then.**"), LISTS))

    def test_a_dashboard_with_a_metric_that_does_not_exist(self):
        lists = copy.deepcopy(LISTS)
        lists["metrics"] = [each for each in lists["metrics"] if each["name"] != "re_dms_slot_safe_wal_bytes"]
        found = "\n".join(generate.faults(lists))
        for name in ("monitoring/grafana/dashboard.json", "monitoring/cloudwatch/template.json",
                     "monitoring/prometheus/alerts.yml", "docs/runbook.md"):
            self.assertIn(f"{name} names metrics that do not exist: re_dms_slot_safe_wal_bytes", found)

    def test_series_of_a_histogram_exist(self):
        self.assertEqual(generate.unknown_names("re_dms_batch_changes_bucket re_dms_lag_seconds_bucket", LISTS),
                         ["re_dms_lag_seconds_bucket"])


unittest.main(argv=sys.argv[:1])
