#!/usr/bin/python3
"""Goal: CloudWatch's alarms tell of what is bad for as long as it is, and of nothing else, however far apart the rounds
of metrics are, up to the longest interval that docs/configuration.md names for them."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = json.loads((ROOT / "monitoring" / "cloudwatch" / "template.json").read_text(encoding="utf-8"))
LISTS = json.loads(subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout)
INTERVALS = (60, 300)
END = 4 * 3600
STATISTICS = {"Maximum": max, "Minimum": min, "Sum": sum}


def parts(properties):
    """[(statistic, period)] of an alarm's metrics; one of a formula has several, whose sum counts."""
    if "Metrics" not in properties:
        return [(properties["Statistic"], properties["Period"])]
    return [(each["MetricStat"]["Stat"], each["MetricStat"]["Period"]) for each in properties["Metrics"] if "MetricStat" in each]


def is_breached(properties, samples, end):
    """SAMPLES: {time: value} of the first metric; whether the datapoint of the period that ends at END is a bad one."""
    statistic, period = parts(properties)[0]
    values = [value for time, value in samples.items() if end - period < time <= end]
    if not values:
        return properties["TreatMissingData"] == "breaching"
    value, threshold = STATISTICS[statistic](values), properties["Threshold"]
    return value > threshold if properties["ComparisonOperator"] == "GreaterThanThreshold" else value < threshold


def in_alarm(properties, samples, at):
    """As CloudWatch does it each minute: so many of the last periods are bad."""
    period = parts(properties)[0][1]
    bad = sum(is_breached(properties, samples, at - i * period) for i in range(properties["EvaluationPeriods"]))
    return bad >= properties["DatapointsToAlarm"]


def series(alert, interval, bad):
    """Four hours of what one receiver gets; None: nothing."""
    threshold, times = alert["threshold"], range(0, END + 1, interval)
    if alert["when"] == "grows":
        return {time: threshold + 1 if bad else 0 for time in times}
    if alert["when"] == "silent":
        return {} if bad else {time: 1 for time in times}
    far = 1 if alert["when"] == "above" else -1
    return {time: threshold + (far if bad else -far) for time in times}


class Alarms(unittest.TestCase):
    def test_what_is_bad_is_told_of_until_it_is_over(self):
        for alert in LISTS["alerts"]:
            properties = TEMPLATE["Resources"][alert["name"]]["Properties"]
            if alert["when"] == "old":
                continue  # a formula of CloudWatch's own
            for interval in INTERVALS:
                for bad in (True, False):
                    with self.subTest(alert=alert["name"], interval=interval, bad=bad):
                        samples = series(alert, interval, bad)
                        told = {in_alarm(properties, samples, at) for at in range(END - 3600, END + 1, 60)}
                        self.assertEqual(told, {bad})

    def test_what_was_bad_for_a_moment_is_told_of_where_a_moment_counts(self):
        for alert in (each for each in LISTS["alerts"] if each["when"] in ("above", "below")):
            properties = TEMPLATE["Resources"][alert["name"]]["Properties"]
            samples = series(alert, 60, False)
            samples[END] = series(alert, 60, True)[END]
            with self.subTest(alert=alert["name"]):
                self.assertEqual(in_alarm(properties, samples, END), alert["minutes"] <= 1)

    def test_there_are_as_many_alarms_as_alerts(self):
        alarms = {name for name, each in TEMPLATE["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertEqual(alarms, {alert["name"] for alert in LISTS["alerts"]})


unittest.main(argv=sys.argv[:1])
