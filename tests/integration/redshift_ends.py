#!/usr/bin/python3
"""Goal: over TLS with a verified certificate, a daemon on Redshift ends within seconds whatever its target does, waits
for a target or a login that is away, and says at a start what is wrong with it."""

import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, expect_check, expect_refusal, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = """
CREATE TABLE public.t (id int PRIMARY KEY, v text);
CREATE TABLE public.fresh (id int PRIMARY KEY, v text);
INSERT INTO public.t SELECT g, 'row ' || g FROM generate_series(1, 100) g;
"""
# A table of as many columns as Redshift's may have, beside those of a staged row.
WIDE = ", ".join(f"\"column {number} of a name of some length {'x' * 20}\" int" for number in range(1596))
SECONDS = 12  # with a cluster that does not answer


def seconds_to_end(daemon):
    begin = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    return daemon.wait_end(120), time.monotonic() - begin


def refusals(server, daemon):
    """At a start and by `check`: what does not pass by waiting."""
    url = daemon.target.options["warehouse.url"]
    plain = url.partition("?")[0]
    for name, wrong, words in (
            ("password", url.replace("loader-secret", "other"), ["authentication failed", "warehouse.url"]),
            ("database", url.replace("/dev?", "/other?"), ["does not exist"]),
            ("authority", f"{plain}?sslmode=verify-full", ["certificate", "sslrootcert"])):
        daemon.configure({"warehouse.url": wrong})
        expect_refusal(daemon, *words)
        expect_check(daemon, *words)
        slots = server.value("SELECT count(*) FROM pg_replication_slots")
        expect(slots == "0", f"{name}: a slot was left")
        print(f"{name}: refused", flush=True)
    daemon.configure({})
    standin = daemon.target.standin
    for privilege, words in (("TEMP", "temporary tables"), ("CREATE", "make schemas")):
        standin.as_superuser(f"REVOKE {privilege} ON DATABASE dev FROM PUBLIC, loader")
        expect_check(daemon, words, f"GRANT {privilege}")
        standin.as_superuser(f"GRANT {privilege} ON DATABASE dev TO loader")
    daemon.configure({"warehouse.iam_role": "arn:aws:iam::123456789012:role/stranger"})
    expect_check(daemon, "target: COPY", "arn:aws:s3:::stage/re_dms/*", "s3:ListBucket")
    daemon.configure({})
    code, printed, said = daemon.run("check")
    expect(code == 0 and "can be written" in printed and "4 slices" in printed and "reads what is staged" in printed,
           f"check ends with {code}: {printed}{said}")
    expect(not [key for key in daemon.target.s3.keys("stage") if "check" in key], "check leaves nothing in the bucket")


def in_statements(server, daemon):
    """A statement that takes long, and a cluster that does not hear of its end."""
    standin = daemon.target.standin
    for number, pattern in enumerate(("^COPY re_dms_staged", "^COPY .public", "^DELETE FROM .public")):
        standin.fail(pattern, "delay", seconds=60)
        server.psql(f"UPDATE t SET v = v || {number}; INSERT INTO fresh VALUES ({number}, 'x')")
        daemon.wait("it runs", lambda: standin.faults()[0]["fired"])
        code, took = seconds_to_end(daemon)
        expect(code == 0 and took < SECONDS, f"{pattern}: ended with {code} after {took:.1f} s")
        print(f"{pattern}: ended after {took:.1f} s", flush=True)
        standin.clear_faults()
        standin.end_sessions()
        daemon.start().wait_ready()
        daemon.catch_up()
        daemon.compare()


def logins_expire(server, daemon):
    """A daemon that is at work waits; a new one is refused only what will not pass."""
    standin = daemon.target.standin
    said = len(daemon.log_text())
    standin.expire_logins(5)
    standin.end_sessions()
    server.psql("UPDATE t SET v = 'after'")
    daemon.catch_up()
    expect("expired" in daemon.log_text()[said:], "it says why it waits")
    daemon.compare()


def long_statement(server, daemon):
    """Many times 64 KiB of SQL and of answers, through TLS."""
    server.psql("INSERT INTO wide (id) VALUES (2); UPDATE wide SET id = 3 WHERE id = 1;")
    daemon.catch_up()
    expect(daemon.stop() == 0, "SIGTERM")
    # It reads again what it knows of the table.
    daemon.start().wait_ready()
    server.psql("UPDATE wide SET id = 4 WHERE id = 3")
    daemon.catch_up()
    print(f"a wide table: {daemon.compare()}", flush=True)


def target_gone(daemon):
    """Ends, and is torn down, while nobody answers."""
    daemon.target.standin.stop()
    code, took = seconds_to_end(daemon)
    expect(code == 0 and took < SECONDS, f"without its target it ended with {code} after {took:.1f} s")
    daemon.start().wait("waits for its target", lambda: "warehouse_retry" in daemon.log_text())
    code, took = seconds_to_end(daemon)
    expect(code == 0 and took < SECONDS, f"waiting for its target it ended with {code} after {took:.1f} s")
    code, printed, said = daemon.run("teardown", "--yes")
    expect(code == 0, f"teardown ends with {code}: {printed}{said}")
    daemon.server.wait_slots_free()
    left = daemon.server.value("SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)")
    expect(left == "0", "slot or publication is left")
    daemon.target.standin.start()


def timed(step, *given):
    began = time.monotonic()
    step(*given)
    print(f"{step.__name__}: {time.monotonic() - began:.1f} s", flush=True)


def main():
    sql = TABLES + f"CREATE TABLE public.wide ({WIDE}, id int PRIMARY KEY); INSERT INTO public.wide (id) VALUES (1);"
    with scenario(sql, target=RedshiftTarget("--iam-role", "arn:aws:iam::123456789012:role/redshift-copy", tls=True)) as (server, daemon):
        timed(refusals, server, daemon)
        daemon.start().wait_ready().wait_live(4)
        timed(in_statements, server, daemon)
        timed(logins_expire, server, daemon)
        timed(long_statement, server, daemon)
        timed(target_gone, daemon)


main()
