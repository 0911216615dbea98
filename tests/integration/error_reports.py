#!/usr/bin/python3
"""Goal: Rollbar and Sentry hear of each error once, with its context and without secrets or row values, through
outages, restarts and crashes; a sink that hangs holds nothing up."""

import re
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE, Daemon  # noqa: E402
from report_sink import KEY, TOKEN, ReportSink  # noqa: E402
from scenario import REFUSED, expect, scenario  # noqa: E402

PLANTED = "planted-value"
PASSWORD = "planted-password"
STRICT = [{"match": "public.bad*", "bad_values": "error"}]


def of_event(sink, event):
    """What each service got of an event: Rollbar's items, Sentry's events."""
    return ([item for item in sink.items.values() if item["custom"]["event"] == event],
            [each for each in sink.events.values() if each["tags"]["event"] == event])


def waits(daemon, service, table):
    """Whether a report of the table lies in the spool of a service."""
    for path in (daemon.folder / "journal.reports" / service).glob("*.report"):
        try:
            if table in path.read_text(encoding="utf-8"):
                return True
        except FileNotFoundError:
            continue  # it was sent meanwhile
    return False


def reported(sink, table):
    """Both services have a report of the table."""
    items, events = of_event(sink, "table_set_aside")
    return (any(item["custom"]["table"] == table for item in items)
            and any(each["tags"]["table"] == table for each in events))


def check_set_aside(sink, table):
    items, events = of_event(sink, "table_set_aside")
    found = [item for item in items if item["custom"]["table"] == table]
    expect(len(found) == 1, f"one report of {table}: {items}")
    expect(found[0]["level"] == "error" and found[0]["custom"]["lsn"] and found[0]["fingerprint"], f"{found[0]}")
    expect(found[0]["code_version"] == found[0]["custom"]["version"], f"{found[0]}")
    expect(len([each for each in events if each["tags"]["table"] == table]) == 1, f"and to Sentry: {events}")


def outcomes(daemon):
    """What became of reports, as the metrics have it."""
    found = re.findall(r'^re_dms_error_reports_total{outcome="(\w+)"} (\d+)$', daemon.get("/metrics")[1], re.M)
    return {outcome: int(count) for outcome, count in found}


def overflow(server, daemon, sink):
    """A thread that uses up its stack is reported by the next start."""
    daemon.environment["RE_DMS_FAILPOINT"] = "journal-sync-before=overflow"
    daemon.start()
    server.psql("INSERT INTO good VALUES (2000, 1, '')")
    expect(daemon.wait_end() == -signal.SIGSEGV, "it dies by the signal")
    del daemon.environment["RE_DMS_FAILPOINT"]
    daemon.start().wait_ready()
    daemon.wait("the overflow is reported", lambda: all(of_event(sink, "crashed")))
    item = of_event(sink, "crashed")[0][0]
    expect("signal 11" in item["body"]["message"]["body"] and "re_dms" in item["custom"]["stack"], f"{item}")
    for sent, tags in ((sink.items, "custom"), (sink.events, "tags")):
        for number in [number for number, each in sent.items() if each[tags]["event"] == "crashed"]:
            del sent[number]
    daemon.stop()


def main():
    tables = "".join(f"CREATE TABLE public.{name} (id int PRIMARY KEY, n numeric(10,2), t text);"
                     for name in ("bad", "bad2", "bad3", "good"))
    with ReportSink() as sink, scenario(tables) as (server, plain):
        options = sink.options | {"source.url": server.url() + f"&password={PASSWORD}", "table": STRICT}
        with Daemon(server, plain.folder, options) as daemon:
            daemon.start().wait_live(5)
            server.psql(f"INSERT INTO bad VALUES (1, 'NaN', '{PLANTED}')")
            daemon.wait("set aside", lambda: daemon.said(NOT_LIVE))
            daemon.wait("reported", lambda: reported(sink, "public.bad"))
            check_set_aside(sink, "public.bad")
            # Nothing of it came to nothing.
            daemon.wait("each report is counted", lambda: outcomes(daemon) == {
                "sent": len(sink.items) + len(sink.events), "dropped": 0, "refused": 0})

            # The sink is away: reports wait on the disk, beyond a kill.
            sink.away.set()
            server.psql("INSERT INTO bad2 VALUES (1, 'NaN', '')")
            daemon.wait("set aside", lambda: len(daemon.said(NOT_LIVE) or []) == 2)
            daemon.wait("spooled", lambda: all(waits(daemon, service, "public.bad2") for service in ("rollbar", "sentry")))
            daemon.kill()
            sink.away.clear()
            daemon.start().wait_ready()
            daemon.wait("sent", lambda: reported(sink, "public.bad2"))
            check_set_aside(sink, "public.bad2")
            # That it starts with both set aside is said again, but reported only once.
            check_set_aside(sink, "public.bad")

            # It hangs: tables are loaded, and the daemon stops.
            sink.hangs.set()
            server.psql("INSERT INTO bad3 VALUES (1, 'NaN', '')")
            server.psql("INSERT INTO good SELECT i, i, i FROM generate_series(1, 1000) i")
            daemon.catch_up(set_aside=True)
            daemon.wait("spooled", lambda: waits(daemon, "rollbar", "public.bad3"))
            expect(daemon.stop(seconds=30) == 3, "it ends while the sink hangs")
            sink.hangs.clear()

            overflow(server, daemon, sink)

            # A crash is reported by the next start, with its stack.
            daemon.start().wait_ready()
            daemon.process.send_signal(signal.SIGSEGV)
            expect(daemon.wait_end() == -signal.SIGSEGV, "it dies by the signal")
            daemon.start().wait_ready()
            daemon.wait("the crash is reported", lambda: all(of_event(sink, "crashed")))
            items, events = of_event(sink, "crashed")
            expect(items[0]["level"] == "critical" and events[0]["level"] == "fatal", f"{items}")
            expect("signal 11" in items[0]["body"]["message"]["body"], f"{items}")
            expect("re_dms" in items[0]["custom"]["stack"], f"{items}")
            daemon.wait("sent", lambda: reported(sink, "public.bad3"))
            check_set_aside(sink, "public.bad3")

            # The last words of a fatal error.
            server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
            daemon.stop()
            server.psql("SELECT pg_drop_replication_slot('re_dms')")
            daemon.start()
            expect(daemon.wait_end() == REFUSED, "the slot is gone")
            # They were sent, or the next start sends them.
            expect(of_event(sink, "failed")[0] or waits(daemon, "rollbar", '"failed"'),
                   f"no last words: {[item['title'] for item in sink.items.values()]}")
            sent = "\n".join(sink.raw)
            for secret in (PLANTED, PASSWORD, TOKEN, KEY):
                expect(secret not in sent, f"{secret} was sent")
            expect(not sink.refused, f"refused: {sink.refused}")
            code, said, problem = daemon.run("teardown", "--yes")
            expect(code == 0 and not (daemon.folder / "journal.reports").exists(), f"it leaves nothing: {said}{problem}")
            code, said, _ = daemon.run("check")
            expect("error reports: Rollbar" in said and "error reports: Sentry" in said, f"{code}: {said}")


main()
