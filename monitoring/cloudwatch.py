"""CloudWatch's alarms and dashboard as a CloudFormation template, for what observe.cloudwatch_namespace sends."""

import json

# (title, statistic, metrics); a metric with a label is (name, label, values).
WIDGETS = [
    ("Lag in seconds", "Maximum", ["re_dms_lag_seconds", "re_dms_slot_lag_seconds"]),
    ("WAL held by the slot", "Maximum", ["re_dms_slot_lag_bytes", "re_dms_slot_safe_wal_bytes", "re_dms_lag_bytes"]),
    ("Commit to visible", "p95", ["re_dms_commit_to_visible_seconds"]),
    ("Rows", "Sum", ["re_dms_rows_received_total", "re_dms_rows_loaded_total", "re_dms_rows_folded_away_total"]),
    ("Steps of a batch", "Average", [("re_dms_batch_step_seconds", "step", ("stage", "wait", "load"))]),
    ("Statements in the target", "Average",
     [("re_dms_statement_seconds", "kind", ("copy", "merge", "commit", "lock", "other"))]),
    ("Tables", "Maximum", ["re_dms_tables_live", "re_dms_tables_coming", "re_dms_tables_not_live", "re_dms_tables_paused",
                           "re_dms_tables_left_out"]),
    ("Trouble", "Sum", [("re_dms_retries_total", "of", ("source", "stage", "warehouse", "copy")),
                        "re_dms_values_adjusted_total", "re_dms_tables_copied_anew_total"]),
    ("Journal", "Maximum", ["re_dms_journal_bytes", "re_dms_journal_max_bytes"]),
    ("Memory", "Maximum", ["re_dms_resident_memory_bytes", "re_dms_memory_budget_bytes"]),
]


# observe.cloudwatch_interval may be as long as this; a value that is bad for a shorter time counts at once.
WINDOW_MINUTES_MIN = 5


def alarm(alert, label_values):
    """LABEL_VALUES of the metric; an alarm is about one series or, by a sum, about all of a label."""
    minutes, when = alert["minutes"], alert["when"]
    grows = when == "grows"
    window = minutes if grows else max(minutes, WINDOW_MINUTES_MIN)
    properties = {
        "AlarmName": {"Fn::Sub": "re_dms-${Slot}-" + alert["name"]},
        "AlarmDescription": f"{alert['summary']} ({alert['severity']}). See docs/runbook.md#{alert['name'].lower()}",
        "AlarmActions": [{"Ref": "PageTopic" if alert["severity"] == "page" else "TicketTopic"}],
        "OKActions": [{"Ref": "PageTopic" if alert["severity"] == "page" else "TicketTopic"}],
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": alert["threshold"],
        "ComparisonOperator": "LessThanThreshold" if when in ("below", "silent") else "GreaterThanThreshold",
        "TreatMissingData": "breaching" if when in ("silent", "old") else "notBreaching",
    }
    # One window, of which all values count: how often they come is observe.cloudwatch_interval.
    worst, best = ("Minimum", "Maximum") if when in ("below", "silent") else ("Maximum", "Minimum")
    seconds, statistic = 60 * window, "Sum" if grows else best if minutes >= WINDOW_MINUTES_MIN else worst
    if when == "old":
        # CloudWatch knows no now: a timestamp that does not change any more is old.
        properties |= {"Metrics": [
            {"Id": "m", "MetricStat": stat(alert["metric"], 60, "Maximum"), "ReturnData": False},
            {"Id": "moves", "Expression": f"RATE(m) * {60 * minutes}", "ReturnData": True}],
            "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}
        properties |= {"EvaluationPeriods": max(minutes, int(alert["threshold"]) // 60),
                       "DatapointsToAlarm": max(minutes, int(alert["threshold"]) // 60)}
    elif label_values:
        parts = [{"Id": f"m{i}", "MetricStat": stat(alert["metric"], seconds, statistic, label_values[0], value),
                  "ReturnData": False} for i, value in enumerate(label_values[1])]
        properties["Metrics"] = [*parts, {"Id": "all", "Expression": "SUM(METRICS())", "ReturnData": True}]
    else:
        properties |= {"Namespace": {"Ref": "Namespace"}, "MetricName": alert["metric"], "Period": seconds,
                       "Statistic": statistic, "Dimensions": dimensions()}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def dimensions(label=None, value=None):
    return [{"Name": "Slot", "Value": {"Ref": "Slot"}}] + ([{"Name": label, "Value": value}] if label else [])


def stat(metric, seconds, statistic, label=None, value=None):
    return {"Metric": {"Namespace": {"Ref": "Namespace"}, "MetricName": metric, "Dimensions": dimensions(label, value)},
            "Period": seconds, "Stat": statistic}


# What the labels of metrics that alarms are about can be.
LABELS = {"re_dms_retries_total": ("of", ("source", "stage", "warehouse", "copy")),
          "re_dms_exports_failing": ("to", ("statsd", "cloudwatch"))}


def widget(place, title, statistic, metrics):
    rows = []
    for metric in metrics:
        name, label, values = metric if isinstance(metric, tuple) else (metric, None, (None,))
        for value in values:
            rows.append(["${Namespace}", name, "Slot", "${Slot}", *([label, value] if label else []),
                         {"label": value or name}])
    return {"type": "metric", "x": place % 2 * 12, "y": place // 2 * 6, "width": 12, "height": 6,
            "properties": {"title": title, "metrics": rows, "stat": statistic, "period": 60, "view": "timeSeries",
                           "region": "${AWS::Region}", "yAxis": {"left": {"min": 0}}}}


def template(lists):
    body = {"widgets": [widget(i, *each) for i, each in enumerate(WIDGETS)]}
    labelled = {metric["name"] for metric in lists["metrics"] if metric["label"]}
    resources = {alert["name"]: alarm(alert, LABELS[alert["metric"]] if alert["metric"] in labelled else None)
                 for alert in lists["alerts"]}
    resources["Dashboard"] = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {
        "DashboardName": {"Fn::Sub": "re_dms-${Slot}"}, "DashboardBody": {"Fn::Sub": json.dumps(body)}}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms and dashboard of a re_dms daemon. Made by monitoring/generate.py.",
        "Parameters": {
            "Namespace": {"Type": "String", "Default": "re_dms", "Description": "observe.cloudwatch_namespace"},
            "Slot": {"Type": "String", "Default": "re_dms", "Description": "source.slot"},
            "PageTopic": {"Type": "String", "Description": "ARN of the SNS topic for what somebody has to look at now"},
            "TicketTopic": {"Type": "String", "Description": "ARN of the SNS topic for what can wait a day"},
        },
        "Resources": resources,
    }
