#!/usr/bin/python3
"""Goal: StatsD and CloudWatch get what /metrics shows, of CloudWatch signed, through an outage and while the
receiver hangs; what they do never holds replication up."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import Daemon  # noqa: E402
from metric_receivers import CloudWatchFake, StatsdReceiver  # noqa: E402
from scenario import expect, scenario  # noqa: E402

ROWS = 500
TAGS = ("slot:re_dms",)


def insert(server, daemon, first):
    server.psql(f"INSERT INTO t SELECT i, i FROM generate_series({first}, {first + ROWS - 1}) i")
    daemon.catch_up()


def shown(daemon, name):
    """The value of a metric without labels at /metrics."""
    lines = [line.split() for line in daemon.get("/metrics")[1].splitlines() if line.startswith(name + " ")]
    return float(lines[0][1])


def main():
    options = {"observe.cloudwatch_namespace": "re_dms/test", "observe.cloudwatch_interval": "300ms",
               "observe.statsd_interval": "300ms"}
    with StatsdReceiver() as statsd, CloudWatchFake() as cloudwatch, scenario(
            "CREATE TABLE public.t (id int PRIMARY KEY, n int)") as (server, plain):
        with Daemon(server, plain.folder, options | {"observe.statsd": statsd.address},
                    environment=cloudwatch.environment) as daemon:
            daemon.start().wait_live(2)
            insert(server, daemon, 1)
            loaded = shown(daemon, "re_dms_rows_loaded_total")
            name = "re_dms_rows_loaded_total"
            daemon.wait("StatsD has it", lambda: statsd.counters.get((name, TAGS)) == loaded)
            daemon.wait("CloudWatch has it", lambda: sum(cloudwatch.values(name)) == loaded)
            table = ("re_dms_table_rows_loaded_total", ("slot:re_dms", "table:public.t"))
            expect(statsd.counters[table] == ROWS, f"{statsd.counters}")
            expect(not statsd.wrong, f"no StatsD: {statsd.wrong}")
            daemon.wait("gauges", lambda: cloudwatch.values("re_dms_tables_live")[-1:] == [2]
                        and statsd.gauges.get(("re_dms_tables_live", TAGS)) == 2)
            expect({each["Namespace"] for each in cloudwatch.data} == {"re_dms/test"}, "the namespace")
            expect(not [each for each in cloudwatch.data if "table_rows" in each["MetricName"]],
                   "no series of single tables")
            expect(not cloudwatch.refused, f"refused: {cloudwatch.refused}")

            # Away, then throttled: what was counted meanwhile comes later, once.
            cloudwatch.refuse(2)
            cloudwatch.refuse(1, 400, "Throttling")
            insert(server, daemon, 1 + ROWS)
            daemon.wait("after an outage", lambda: sum(cloudwatch.values(name)) == shown(daemon, name))
            # Refused for good: the round fails, the next one brings what it had.
            cloudwatch.refuse(1, 403, "AccessDenied")
            insert(server, daemon, 1 + 2 * ROWS)
            daemon.wait("a failed round is counted", lambda: 're_dms_exports_failed_total{to="cloudwatch"} 1'
                        in daemon.get("/metrics")[1])
            daemon.wait("after a refusal", lambda: sum(cloudwatch.values(name)) == shown(daemon, name))
            expect("AccessDenied" in daemon.log_text(), "the log says why")

            # One that hangs costs nothing, not even at the end.
            cloudwatch.hangs.set()
            asked = cloudwatch.requests
            daemon.wait("rounds come", lambda: cloudwatch.requests == asked)
            insert(server, daemon, 1 + 3 * ROWS)
            daemon.wait("StatsD goes on", lambda: statsd.counters.get((name, TAGS)) == shown(daemon, name))
            daemon.compare()
            expect(daemon.stop(seconds=30) == 0, "it ends while CloudWatch hangs")
            # `check` asks for credentials and sends nothing.
            before = len(cloudwatch.data)
            code, said, _ = daemon.run("check")
            expect(code == 0 and "metrics: CloudWatch" in said and "metrics: StatsD" in said, said)
            expect(len(cloudwatch.data) == before, "check sends no metric")


main()
