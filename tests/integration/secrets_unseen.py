#!/usr/bin/python3
"""Goal: secrets of the configuration and the environment are seen nowhere: not in what commands print, whatever is wrong,
the log, the pages, metrics, error reports, crash notes, on the command line, in the journal, in staged objects or in
statements to the warehouse."""

import json
import signal
import sys
from pathlib import Path
from urllib.parse import quote

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import NOT_LIVE, Daemon  # noqa: E402
from metric_receivers import CloudWatchFake, StatsdReceiver  # noqa: E402
from redshift import Standin  # noqa: E402
from report_sink import KEY, TOKEN, ReportSink  # noqa: E402
from s3_fake import S3Fake  # noqa: E402
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

SOURCE, WAREHOUSE, AWS = "Planted/Source@pa55", "Planted-Warehouse-pa55", "Planted+Aws/secretkey"
TABLES = ("CREATE TABLE public.t (id int PRIMARY KEY, n numeric(10,2)); CREATE TABLE public.bad (id int PRIMARY KEY, n numeric);"
          "INSERT INTO public.t SELECT i, i FROM generate_series(1, 100) i")
# Where each is allowed: in no place that is searched. Encoded as in URLs they are no better.
SECRETS = {name: {text, quote(text, safe="")} for name, text in
           (("source", SOURCE), ("warehouse", WAREHOUSE), ("AWS", AWS), ("Rollbar", TOKEN), ("Sentry", KEY))}


class Search:
    """All that was seen, by where."""

    def __init__(self):
        self.places = 0

    def look(self, place, text):
        self.places += 1
        text = text.encode() if isinstance(text, str) else text
        found = [name for name, forms in SECRETS.items() if any(form.encode() in text for form in forms)]
        expect(not found, f"{place} shows the secrets of {found}")

    def command(self, daemon, *arguments):
        code, printed, said = daemon.run(*arguments)
        self.look(f"re_dms {' '.join(arguments)}", printed + said)
        return code, printed + said

    def tree(self, place, folder):
        for path in folder.rglob("*"):
            self.look(f"{place} {path.name}", str(path))
            if path.is_file():
                self.look(f"{place} {path.name}", path.read_bytes())


def wrong_configurations(search, server, target, daemon, options):
    """What is said of a configuration that is wrong quotes no secret of it."""
    user = f"postgres:{quote(SOURCE, safe='')}"
    wrong = {
        "source.url": [f"postgresql://{user}@127.0.0.1:port/postgres", f"postgresql://{user}@127.0.0.1:1/postgres",
                       f"postgresql://{user}@[::1/postgres", f"postgresql://{user}@127.0.0.1/postgres?nothing=1",
                       f"postgresql://{user}@127.0.0.1/postgres?sslmode=never", f"host=127.0.0.1 password='{SOURCE}' port",
                       f"postgresql://postgres:{SOURCE}@127.0.0.1:1/postgres", f"mysql://{user}@127.0.0.1/postgres"],
        "warehouse.url": [f"redshift://loader:{WAREHOUSE}@127.0.0.1:port/dev", f"redshift://loader:{WAREHOUSE}@127.0.0.1:1/dev",
                          f"redshift://loader:{WAREHOUSE}x@127.0.0.1:{target.standin.port}/dev",
                          f"redshift://loader:{WAREHOUSE}@127.0.0.1/dev?nothing=1", f"redshft://loader:{WAREHOUSE}@127.0.0.1/dev",
                          f"redshift://loader:{WAREHOUSE}@/"],
        "observe.sentry_dsn": [f"https://{KEY}@", f"https:/{KEY}@127.0.0.1/42", f"{KEY}"],
        "observe.rollbar_url": [f"https://{TOKEN}:{TOKEN}@127.0.0.1:1"],
        "source.slot": [SOURCE]}
    for key, values in wrong.items():
        for number, value in enumerate(values):
            with Daemon(server, daemon.folder.parent / f"wrong_{key}_{number}", {**options, key: value},
                        environment=daemon.environment, target=target) as other:
                if key == "source.slot":
                    # A word that is no secret where it stands is shown.
                    expect(SOURCE in "".join(other.run("check")[1:]), "the search finds what is there")
                    continue
                code, said = search.command(other, "check")
                expect(code in (1, 2), f"{key} = {value} is wrong: {code}\n{said}")


def trouble(search, daemon, server, target):
    """Refusals of everybody, and the crash of a thread."""
    target.s3.refuse(2, 503, "SlowDown")
    target.standin.fail("COPY", "error", sqlstate="42601", message="cannot read")
    server.psql("INSERT INTO bad VALUES (1, 'NaN'); INSERT INTO t SELECT i, i FROM generate_series(101, 200) i")
    daemon.wait("set aside", lambda: daemon.said(NOT_LIVE))
    daemon.catch_up(set_aside=True)
    daemon.process.send_signal(signal.SIGSEGV)
    daemon.wait_end()
    search.tree("the folder of reports and the crash note", daemon.folder / "journal.reports")


def main():
    Standin.password = WAREHOUSE
    keys = "AKIAPLANTED000000000", AWS
    search = Search()
    with ReportSink() as sink, StatsdReceiver() as statsd, CloudWatchFake(*keys) as cloudwatch:
        target = RedshiftTarget(s3=S3Fake(*keys, buckets=("stage",)))
        options = {**sink.options, "observe.statsd": statsd.address, "observe.statsd_interval": "200ms",
                   "observe.cloudwatch_namespace": "re_dms/test", "observe.cloudwatch_interval": "200ms",
                   "table": [{"match": "public.bad", "bad_values": "error"}]}
        with scenario(TABLES, target=target) as (server, plain):
            options["source.url"] = server.url() + f"&password={quote(SOURCE, safe='')}"
            with Daemon(server, plain.folder, options, environment=cloudwatch.environment, target=target) as daemon:
                daemon.start("-v").wait_live(3)
                search.look("the command line", Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes())
                daemon.catch_up()
                trouble(search, daemon, server, target)
                daemon.start("-v").wait_ready()
                daemon.wait("reported", lambda: any(item["custom"]["event"] == "crashed" for item in sink.items.values()))
                daemon.wait("metrics arrive", lambda: cloudwatch.data and statsd.gauges)
                for page in ("/", "/status.json", "/metrics", "/healthz", "/readyz", "/nothing"):
                    search.look(page, daemon.get(page)[1])
                for command in (("check",), ("status",), ("status", "--json"), ("pause", "public.t"), ("resume", "public.t"),
                                ("resync", "public.none"), ("journal", "inspect", str(daemon.journal)), ("--help",), ("setup",)):
                    search.command(daemon, *command)
                wrong_configurations(search, server, target, daemon, options)
                daemon.catch_up(set_aside=True)
                search.tree("the journal", daemon.journal)
                for key in target.s3.keys("stage"):
                    search.look(f"the staged object {key}", key.encode() + target.s3.get("stage", key))
                search.look("statements", target.standin.log.read_bytes())
                expect(daemon.stop() == 3, "it ends with a table set aside")
                search.command(daemon, "teardown")
                search.command(daemon, "teardown", "--yes")
                search.look("the log", daemon.log_text())
                expect('"level":"debug"' in daemon.log_text().replace(" ", ""), "the log is a full one")
        search.look("error reports", "\n".join(sink.raw))
        search.look("StatsD", repr((statsd.counters, statsd.gauges, statsd.wrong)))
        search.look("CloudWatch", json.dumps(cloudwatch.data))
    print(f"{len(SECRETS)} secrets, looked for in {search.places} places")


main()
