"""Prometheus' alert rules, and promtool's unit tests of them."""

# promtool samples its series this often.
STEP_MINUTES = 1


def number(value):
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def expression(alert):
    metric, threshold = alert["metric"], number(alert["threshold"])
    return {
        "above": f"{metric} > {threshold}",
        "below": f"{metric} < {threshold}",
        "grows": f"increase({metric}[{alert['minutes']}m]) > {threshold}",
        "silent": f"{metric} < {threshold} or absent({metric})",
        "old": f"time() - {metric} > {threshold}",
    }[alert["when"]]


def duration(alert):
    """How long the expression holds before somebody is told; what grows looks back that long already."""
    return "0m" if alert["when"] == "grows" else f"{alert['minutes']}m"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def rules(alerts):
    lines = ["# Made by monitoring/generate.py from src/observe/alert_list.h.", "groups:", "  - name: re_dms", "    rules:"]
    for alert in alerts:
        lines += [f"      - alert: {alert['name']}",
                  f"        expr: {quoted(expression(alert))}",
                  f"        for: {duration(alert)}",
                  "        labels:",
                  f"          severity: {alert['severity']}",
                  "        annotations:",
                  f"          summary: {quoted(alert['summary'])}",
                  f"          runbook: docs/runbook.md#{alert['name'].lower()}"]
    return "\n".join(lines) + "\n"


def series(alert, bad):
    """What promtool takes for the values of each minute, 2 hours of them."""
    threshold = alert["threshold"]
    if alert["when"] == "above":
        return f"{number(threshold + 1 if bad else threshold)}+0x120"
    if alert["when"] == "below":
        return f"{number(threshold - 1 if bad else threshold)}+0x120"
    if alert["when"] == "grows":
        return f"0+{number(threshold + 1)}x120" if bad else "7+0x120"
    if alert["when"] == "silent":
        return "0+0x120" if bad else "1+0x120"
    # A timestamp: that of promtool's time, which begins at 0, or one that stands still.
    return "0+0x120" if bad else "0+60x120"


def rule_tests(lists):
    """Each alert fires on what it is about, and only then; it clears when that is over."""
    lines = ["# Made by monitoring/generate.py from src/observe/alert_list.h.", "rule_files:", "  - alerts.yml",
             f"evaluation_interval: {STEP_MINUTES}m", "tests:"]
    # What is not the subject of a test must not be missing: only re_dms_up counts as an alert then.
    for alert in lists["alerts"]:
        fires = min(119, alert["minutes"] + 15)
        for bad in (True, False):
            lines += [f"  - name: {alert['name']} {'fires' if bad else 'is silent'}", f"    interval: {STEP_MINUTES}m",
                      "    input_series:",
                      f"      - series: '{alert['metric']}{{job=\"re_dms\"}}'",
                      f"        values: '{series(alert, bad)}'",
                      "    alert_rule_test:", f"      - eval_time: {fires}m", f"        alertname: {alert['name']}"]
            if bad:
                lines += ["        exp_alerts:",
                          "          - exp_labels:",
                          f"              severity: {alert['severity']}", "              job: re_dms",
                          "            exp_annotations:",
                          f"              summary: {quoted(alert['summary'])}",
                          f"              runbook: docs/runbook.md#{alert['name'].lower()}"]
            else:
                lines += ["        exp_alerts: []"]
    return "\n".join(lines) + "\n"
