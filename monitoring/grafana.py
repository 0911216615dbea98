"""A Grafana dashboard of the daemon, on a Prometheus data source."""

WIDTH, HEIGHT = 12, 8

# (title, unit, [(expression, legend)]) by row.
ROWS = [
    ("How far the target is behind", [
        ("Lag", "s", [("re_dms_lag_seconds", "behind"), ("re_dms_slot_lag_seconds", "slot unconfirmed")]),
        ("Commit to visible", "s", [
            (f"histogram_quantile({q}, sum by (le) (rate(re_dms_commit_to_visible_seconds_bucket[5m])))", f"p{q * 100:g}")
            for q in (0.5, 0.95, 0.99)]),
        ("WAL held by the slot", "bytes", [("re_dms_slot_lag_bytes", "held"), ("re_dms_slot_safe_wal_bytes", "until it can be lost"),
                                          ("re_dms_lag_bytes", "not in the target yet")]),
        ("State", "short", [("re_dms_up", "up"), ("re_dms_slot_active", "slot is read"),
                            ("re_dms_slot_wal_status", "wal_status (0 reserved … 3 lost)"),
                            ("re_dms_reading_paused", "reading paused")]),
    ]),
    ("What passes", [
        ("Row changes", "short", [("rate(re_dms_rows_received_total[1m])", "received/s"),
                                  ("sum(rate(re_dms_rows_staged_total[1m]))", "staged/s"),
                                  ("rate(re_dms_rows_loaded_total[1m])", "loaded/s"),
                                  ("rate(re_dms_rows_folded_away_total[5m])", "folded away/s")]),
        ("Bytes", "Bps", [("rate(re_dms_received_bytes_total[1m])", "received"),
                          ("sum(rate(re_dms_staged_csv_bytes_total[1m]))", "CSV"),
                          ("sum(rate(re_dms_uploaded_bytes_total[1m]))", "uploaded")]),
        ("Steps of a batch", "s", [
            ("sum by (step) (rate(re_dms_batch_step_seconds_sum[5m])) / sum by (step) (rate(re_dms_batch_step_seconds_count[5m]))",
             "{{step}}")]),
        ("Statements in the target", "s", [
            ("sum by (kind) (rate(re_dms_statement_seconds_sum[5m]))", "{{kind}}, seconds each second")]),
        ("Largest tables by rows loaded", "short", [("topk(10, rate(re_dms_table_rows_loaded_total[5m]))", "{{table}}")]),
        ("Batches", "short", [("rate(re_dms_batches_loaded_total[5m]) * 60", "loaded a minute"),
                              ("re_dms_fold_rows", "row changes in the next")]),
    ]),
    ("Tables", [
        ("States", "short", [(f"re_dms_tables_{state}", state.replace("_", " ")) for state in
                             ("live", "coming", "not_live", "paused", "removed", "left_out")]),
        ("Copies", "bytes", [("re_dms_copy_bytes", "copied"), ("re_dms_copy_estimated_bytes", "of about"),
                             ("re_dms_catch_up_journal_bytes", "journal to catch up")]),
        ("Trouble", "short", [("sum by (cause) (increase(re_dms_heals_total[1h]))", "copied anew: {{cause}}"),
                              ("increase(re_dms_values_adjusted_total[1h])", "values adjusted"),
                              ("increase(re_dms_rows_not_there_total[1h])", "rows not there"),
                              ("sum by (of) (increase(re_dms_retries_total[1h]))", "retries: {{of}}")]),
        ("Copy rate", "Bps", [("re_dms_copy_bytes_per_second", "bytes copied")]),
    ]),
    ("What it uses", [
        ("Journal", "bytes", [("re_dms_journal_bytes", "journal"), ("re_dms_journal_max_bytes", "bound")]),
        ("Age of the journal's oldest segment", "s", [("re_dms_journal_oldest_seconds", "age")]),
        ("Memory", "bytes", [("re_dms_resident_memory_bytes", "in RAM"), ("re_dms_memory_budget_bytes", "batch.memory"),
                             ("re_dms_fold_memory_bytes", "batch being filled")]),
        ("Telling others", "short", [("increase(re_dms_exports_failed_total[5m])", "metrics not pushed: {{to}}"),
                                     ("sum by (outcome) (increase(re_dms_error_reports_total[1h]))", "reports {{outcome}}"),
                                     ("increase(re_dms_log_lines_lost_total[5m])", "log lines lost")]),
    ]),
]


def panel(number, title, unit, targets, x, y):
    return {"id": number, "type": "timeseries", "title": title, "datasource": {"type": "prometheus", "uid": "${source}"},
            "gridPos": {"h": HEIGHT, "w": WIDTH, "x": x, "y": y},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
            "targets": [{"refId": chr(ord("A") + i), "expr": expression, "legendFormat": legend}
                        for i, (expression, legend) in enumerate(targets)]}


def dashboard():
    panels, y = [], 0
    for title, row in ROWS:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}})
        y += 1
        for i, (name, unit, targets) in enumerate(row):
            panels.append(panel(len(panels) + 1, name, unit, targets, (i % 2) * WIDTH, y + i // 2 * HEIGHT))
        y += (len(row) + 1) // 2 * HEIGHT
    return {"title": "re_dms", "uid": "re_dms", "tags": ["re_dms"], "timezone": "utc", "schemaVersion": 38, "version": 1,
            "refresh": "30s", "time": {"from": "now-3h", "to": "now"},
            "templating": {"list": [{"name": "source", "label": "Prometheus", "type": "datasource",
                                     "query": "prometheus", "hide": 0}]},
            "panels": panels}
