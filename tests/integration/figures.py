#!/usr/bin/python3
"""Goal: every figure of /metrics, /status.json, the status page and `re_dms status` is what a known workload
makes it. A new figure fails until it is checked here."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import json  # noqa: E402
import math  # noqa: E402
import time  # noqa: E402

from postgres import parse_lsn  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id int PRIMARY KEY, n numeric);
CREATE TABLE public.empty (id int PRIMARY KEY);
CREATE TABLE public.bad (id int PRIMARY KEY, n numeric(10,2));
CREATE TABLE public.unkeyed (id int);"""
# Each is a transaction and, as all is loaded before the next one, a batch.
WORK = (("INSERT INTO t SELECT i, i FROM generate_series(1, 360) i", 360),
        ("UPDATE t SET n = n + 1 WHERE id <= 60", 60),
        ("DELETE FROM t WHERE id > 330", 30),
        ("BEGIN; UPDATE t SET n = n + 1 WHERE id <= 40; UPDATE t SET n = n + 1 WHERE id <= 40; COMMIT", 80))
ROWS = sum(rows for _, rows in WORK)
FOLDED_AWAY = 40
FILLING = 70
OPTIONS = {"observe.slot_interval": "200ms", "table": [{"match": "public.bad", "bad_values": "error"}]}
STATES = ("starting", "streaming", "paused", "reconnecting", "stage away", "warehouse away", "stopping")
PAGE = {"source", "received", "journaled", "staged", "loaded", "journal", "warehouse", "loads", "last load",
        "tables"}
POSITIONS = {"server": ("source", "server_lsn"), "received": ("source", "received_lsn"),
             "journaled": ("source", "journaled_lsn"), "staged": ("batch", "staged_lsn"),
             "loaded": ("warehouse", "loaded_lsn")}


def flat(value, path=""):
    """{"a.b": value} of objects inside each other."""
    if not isinstance(value, dict):
        return {path: value}
    parts = (flat(part, f"{path}.{name}".strip(".")) for name, part in value.items())
    return {key: leaf for part in parts for key, leaf in part.items()}


def metrics(daemon):
    """{"name{label=\"value\"}": value}; of a histogram its _count and _sum, whose buckets fit them."""
    text = daemon.get("/metrics")[1]
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    helps = dict(re.findall(r"^# HELP (\S+) (\S.*)$", text, re.M))
    values = {name: float(value) for name, value in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.M)}
    expect(kinds.keys() == helps.keys(), f"each has a kind and a help text: {text}")
    wrong = [name for name, kind in kinds.items() if name.endswith("_total") != (kind == "counter")]
    expect(not wrong, f"counters end in _total: {wrong}")
    for name in [name for name in values if "_bucket{" in name]:
        value = values.pop(name)
        if 'le="+Inf"' in name:
            count = re.sub(r',?le="[^"]*"', "", name.replace("_bucket", "_count")).replace("{}", "")
            expect(values[count] == value, f"{name} is {value}, {count} is {values[count]}")
    families = {re.sub("_(count|sum)$", "", bare) if bare not in kinds else bare
                for bare in (name.partition("{")[0] for name in values)}
    expect(families == kinds.keys(), f"each value has a kind, and each kind a value: {families ^ kinds.keys()}")
    return values


def check(what, found, wanted):
    """WANTED: by name a value, or what a value has to fulfil."""
    expect(found.keys() == wanted.keys(),
           f"{what}: not checked {found.keys() - wanted.keys()}, not there {wanted.keys() - found.keys()}")
    for name, want in wanted.items():
        good = want(found[name]) if callable(want) else found[name] == want
        expect(good, f"{what}: {name} is {found[name]!r}" + ("" if callable(want) else f", not {want!r}"))


def wanted_status(daemon, rows, loaded):
    """LOADED: the batch_loaded lines of the log."""
    size = sum(path.stat().st_size for path in daemon.journal.glob("*.journal"))
    last = loaded[-1]
    return {
        "version": daemon.run("version")[1].split()[1], "uptime_seconds": lambda value: 0 < value < 600,
        "now": lambda text: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text),
        "state": "streaming", "reason": "", "source.connected": True, "source.rows_received": rows,
        "journal.bytes": size, "journal.max_bytes": 4 << 30,
        "batch.memory_bytes": 0, "batch.rows": 0,
        "warehouse.name": lambda text: str(daemon.warehouse) in text,
        "warehouse.rows_loaded": sum(line["rows"] for line in loaded),
        "warehouse.batches_loaded": len(loaded),
        "warehouse.last_load.rows": last["rows"],
        "warehouse.last_load.seconds": lambda value: abs(value - last["seconds"]) < 0.001,
        "warehouse.last_load.at": lambda text: abs(seconds_of(text) - seconds_of(last["time"])) < 5,
        "lag.bytes": lambda value: value < 1 << 20, "lag.seconds": 0, "tables.live": 3, "tables.coming": [],
        # What they are while tables are copied: copy_figures.py.
        **{f"tables.copies.{name}": None for name in ("since", "rows_per_second", "bytes_per_second", "seconds_left")},
        **{f"tables.copies.{name}": 0 for name in ("waiting", "copying", "catching_up", "live", "rows", "bytes",
                                                   "bytes_estimated", "journal_bytes_left")},
        "tables.not_live": lambda tables: [each["table"] for each in tables] == ["public.bad"],
        "tables.paused": [], "tables.removed": [],
        "tables.left_out": lambda tables: [each["table"] for each in tables] == ["public.unkeyed"],
        "tables.not_copied": [], "last_error": None, "log.lines_lost": 0,
        **{".".join(path): lambda text: parse_lsn(text) > 0 for path in POSITIONS.values()}}


def seconds_of(text):
    hours, minutes, seconds = re.search(r"[T ](\d\d):(\d\d):(\d\d)", text).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def wanted_metrics(status, lsns, loaded, rows, transactions, values):
    """VALUES: what they are, for those that depend on each other."""
    batches, net = len(loaded), sum(line["rows"] for line in loaded)
    journal, stage = status["journal"]["bytes"], 'kind="stream"'
    positive = lambda value: value > 0
    return {
        "re_dms_up": 1, **{f're_dms_state{{state="{state}"}}': int(state == "streaming") for state in STATES},
        f're_dms_build_info{{version="{status["version"]}"}}': 1,
        "re_dms_start_time_seconds": lambda value: 0 < time.time() - value - status["uptime_seconds"] < 30,
        "re_dms_rows_received_total": rows,
        # Begin and Commit, and a Relation of each table that has rows.
        "re_dms_messages_journaled_total": lambda value: value - rows - 2 * transactions in range(1, 4),
        # All of it is there still; segments have headers.
        "re_dms_received_bytes_total": lambda value: journal / 2 < value <= journal,
        # One may cover several transactions.
        "re_dms_journal_syncs_total": lambda value: value >= 1,
        "re_dms_journal_bytes": journal, "re_dms_journal_max_bytes": 4 << 30,
        "re_dms_journal_used_ratio": lambda value: math.isclose(value, journal / (4 << 30), rel_tol=1e-4),
        "re_dms_journal_oldest_seconds": lambda value: 0 < value < 600, "re_dms_reading_paused": 0,
        "re_dms_batches_loaded_total": batches, "re_dms_rows_loaded_total": net,
        "re_dms_rows_folded_away_total": FOLDED_AWAY,
        "re_dms_batch_changes_count": batches, "re_dms_batch_changes_sum": sum(line["changes"] for line in loaded),
        "re_dms_commit_to_visible_seconds_count": len([line for line in loaded if line["transactions"]]),
        "re_dms_commit_to_visible_seconds_sum": lambda value: 0 < value < 60 * batches,
        **{f're_dms_batch_step_seconds_count{{step="{step}"}}': batches for step in ("stage", "wait", "load")},
        **{f're_dms_batch_step_seconds_sum{{step="{step}"}}': lambda value: 0 <= value < 60 * batches
           for step in ("stage", "wait", "load")},
        # The row of the table that was set aside may have been staged before that.
        f"re_dms_rows_staged_total{{{stage}}}": lambda value: value - net in (0, 1),
        f"re_dms_staged_files_total{{{stage}}}": lambda value: batches / 2 < value < 3 * batches,
        f"re_dms_staged_csv_bytes_total{{{stage}}}": lambda value: value > 3 * net,
        f"re_dms_uploaded_bytes_total{{{stage}}}": lambda value: value >= values["re_dms_staged_bytes_total"],
        "re_dms_staged_bytes_total": positive,
        **{f're_dms_statement_seconds_count{{kind="{kind}"}}': positive for kind in ("copy", "merge", "commit", "other")},
        **{f're_dms_statement_seconds_sum{{kind="{kind}"}}': positive for kind in ("copy", "merge", "commit", "other")},
        **{f're_dms_table_changes_total{{table="{table}"}}': changes
           for table, changes in (("public.t", ROWS), ("public.marker", rows - ROWS - 1))},
        **{f're_dms_table_rows_loaded_total{{table="{table}"}}': count
           for table, count in (("public.t", ROWS - FOLDED_AWAY), ("public.marker", rows - ROWS - 1))},
        **{f're_dms_table_{kind}_bytes_total{{table="{table}"}}': positive
           for kind in ("staged", "csv") for table in ("public.t", "public.marker")},
        "re_dms_rows_not_there_total": 0, "re_dms_values_adjusted_total": 0,
        **{f're_dms_retries_total{{of="{of}"}}': 0 for of in ("source", "stage", "warehouse", "copy")},
        **{f're_dms_heals_total{{cause="{cause}"}}': 0
           for cause in ("schema", "publication", "rows", "target", "other")},
        "re_dms_last_load_seconds": lambda value: abs(value - loaded[-1]["seconds"]) < 0.001,
        "re_dms_lag_bytes": status["lag"]["bytes"],
        "re_dms_lag_seconds": 0, "re_dms_fold_memory_bytes": 0, "re_dms_fold_rows": 0, "re_dms_fold_age_seconds": 0,
        "re_dms_slot_active": 1, "re_dms_slot_wal_status": 0, "re_dms_slot_spilled_bytes": 0,
        "re_dms_slot_lag_bytes": positive, "re_dms_slot_unconfirmed_bytes": lambda value: 0 <= value < 1 << 20,
        "re_dms_slot_lag_seconds": lambda value: 0 <= value < 60,
        "re_dms_slot_seen_timestamp_seconds": lambda value: 0 <= time.time() - value < 30,
        "re_dms_memory_budget_bytes": 512 << 20,
        "re_dms_resident_memory_bytes": lambda value: 10 << 20 < value < 2 << 30,
        "re_dms_memory_used_ratio": lambda value: math.isclose(value * (512 << 20), values["re_dms_resident_memory_bytes"],
                                                              rel_tol=1e-4),
        **{f"re_dms_{name}_lsn": lsn for name, lsn in lsns.items()},
        "re_dms_tables_live": status["tables"]["live"], "re_dms_tables_coming": 0,
        "re_dms_tables_paused": 0, "re_dms_tables_removed": 0,
        **{f"re_dms_{name}": 0 for name in (
            "tables_waiting", "tables_copying", "tables_catching_up", "copy_rows", "copy_bytes", "copy_estimated_bytes",
            "copy_rows_per_second", "copy_bytes_per_second", "copy_remaining_seconds", "catch_up_journal_bytes")},
        "re_dms_tables_copied_anew_total": 0,
        "re_dms_tables_not_live": len(status["tables"]["not_live"]), "re_dms_tables_left_out": 1,
        "re_dms_log_lines_lost_total": 0}


def check_all(daemon, rows, transactions):
    """ROWS received in TRANSACTIONS."""
    # Nothing may move between one page and the next, and the log is written by a thread of its own.
    while True:
        lines = map(json.loads, daemon.log_text().splitlines())
        loaded = [line for line in lines if line["event"] == "batch_loaded"]
        status, values = daemon.status(), metrics(daemon)
        page, again = daemon.get("/")[1], daemon.status()
        moved = [name for name, value in flat(status).items() if flat(again)[name] != value]
        at_rest = not set(moved) - {"now", "uptime_seconds", "lag.seconds"}
        if at_rest and len(loaded) == status["warehouse"]["batches_loaded"]:
            break
    check("status.json", flat(status), wanted_status(daemon, rows, loaded))
    lsns = {name: parse_lsn(status[part][key] or "0/0") for name, (part, key) in POSITIONS.items()}
    expect(lsns["server"] >= lsns["received"] >= lsns["journaled"] >= lsns["staged"], f"in order: {lsns}")
    expect(status["lag"]["bytes"] == lsns["server"] - lsns["loaded"], "lag in bytes")
    check("metrics", values, wanted_metrics(status, lsns, loaded, rows, transactions, values))
    for text in (page, daemon.run("status")[1]):
        check_page(text, status, rows)


def check_page(text, status, rows):
    lines = dict(re.findall(r"^  (last load|\w+) +(\S.*)$",
                            text.split("\nSet aside")[0].split("\nLeft out")[0], re.M))
    expect(lines.keys() == PAGE, f"unknown or missing lines: {lines.keys() ^ PAGE}")
    warehouse, tables = status["warehouse"], status["tables"]
    for name, words in {
            "source": [status["source"]["server_lsn"], "connected"],
            "received": [status["source"]["received_lsn"], f"{rows} row changes"],
            "journaled": [status["source"]["journaled_lsn"]],
            "staged": [status["batch"]["staged_lsn"], "next batch: 0 row changes, 0 B"],
            "loaded": [warehouse["loaded_lsn"], "up to date"], "warehouse": [warehouse["name"]], "journal": ["of 4 GiB"],
            "loads": [f"{warehouse['batches_loaded']} batches, {warehouse['rows_loaded']} rows"],
            "tables": [f"{tables['live']} live"] + [f", {len(tables[key])} {name}" for key, name in
                       (("not_live", "set aside"), ("left_out", "left out")) if tables[key]]}.items():
        missing = [word for word in words if word not in lines[name]]
        expect(not missing, f"{name}: lacks {missing}:\n{text}")
    for table in tables["not_live"] + tables["left_out"]:
        expect(re.search(rf"^  {table['table']} +{re.escape(table['reason'])}$", text, re.M), text)


def check_paused(daemon):
    """A table that somebody paused, until it is live again."""
    daemon.run("pause", "public.t")
    daemon.wait("paused", lambda: metrics(daemon)["re_dms_tables_paused"] == 1)
    expect(metrics(daemon)["re_dms_tables_live"] == 2, "it is not live")
    daemon.run("resume", "public.t")
    daemon.wait("live again", lambda: metrics(daemon)["re_dms_tables_live"] == 3)
    expect(metrics(daemon)["re_dms_tables_paused"] == 0, "it is not paused")


def check_filling(server, daemon):
    """A batch that is being filled."""
    daemon.configure(OPTIONS | {"batch.interval": "1h"})
    daemon.start().wait_ready()
    server.psql(f"INSERT INTO t SELECT i, i FROM generate_series(1001, {1000 + FILLING}) i")
    daemon.wait("they are folded", lambda: metrics(daemon)["re_dms_fold_rows"] == FILLING)
    values, again = metrics(daemon), metrics(daemon)
    # Two numbers a row at least, and their index.
    expect(16 * FILLING < values["re_dms_fold_memory_bytes"] < 4096 * FILLING + (1 << 20), f"{values}")
    expect(0 < values["re_dms_fold_age_seconds"] < again["re_dms_fold_age_seconds"] < 60, f"{values}, {again}")
    expect(values["re_dms_lag_bytes"] > 0 and values["re_dms_loaded_lsn"] < values["re_dms_journaled_lsn"], f"{values}")


def check_loaded_from_journal(daemon):
    """Nothing is committed in the source since, and the target holds all of it: it is not behind."""
    daemon.configure(OPTIONS)
    daemon.start().wait_ready()
    daemon.wait("what was journaled is loaded", lambda: metrics(daemon).get("re_dms_rows_loaded_total") == FILLING)
    daemon.wait("it is up to date", lambda: metrics(daemon)["re_dms_lag_seconds"] == 0, seconds=10)


def main():
    with scenario(TABLES, options=OPTIONS) as (server, daemon):
        daemon.start().wait_ready()
        for statement, _ in WORK:
            server.psql(statement)
            daemon.catch_up()
        rows, transactions = ROWS + len(WORK), 2 * len(WORK)  # with the marker's
        server.psql("INSERT INTO bad VALUES (1, 'NaN')")
        daemon.catch_up(set_aside=True)
        rows, transactions = rows + 2, transactions + 2
        daemon.wait("set aside", lambda: daemon.status()["tables"]["not_live"])
        daemon.wait("at rest", lambda: daemon.status()["lag"]["seconds"] == 0)
        expect(daemon.status()["warehouse"]["rows_loaded"] == ROWS - FOLDED_AWAY + len(WORK) + 1, "rows of live tables")
        check_all(daemon, rows, transactions)
        check_paused(daemon)
        expect(daemon.stop() == 3, "with a table set aside it ends with 3")
        check_filling(server, daemon)
        expect(daemon.stop() == 3, "with a table set aside it ends with 3")
        check_loaded_from_journal(daemon)
        expect(daemon.stop() == 3, "with a table set aside it ends with 3")


main()
