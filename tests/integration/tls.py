#!/usr/bin/python3
"""Goal: over TLS with a checked certificate, and over a Unix socket, rows of a few bytes and of many megabytes
arrive; a certificate of somebody else is refused."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from certificate import make_certificate  # noqa: E402
from scenario import expect, expect_refusal, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id int PRIMARY KEY, note text);
ALTER TABLE public.t ALTER note SET STORAGE EXTERNAL;"""
# A TLS record holds 16 KiB; each row is longer or shorter than some number of them.
STEP = """
INSERT INTO t SELECT {0} + i, 'small ' || i FROM generate_series(1, 5000) i;
INSERT INTO t SELECT {0} + 10000 + i, repeat('x', 16000 + i * 100) FROM generate_series(1, 20) i;
INSERT INTO t VALUES ({0}, repeat('large', 1100000));
UPDATE t SET note = 'smaller' WHERE id % 7 = 1;
INSERT INTO t VALUES ({0} + 9999, repeat('y', 20000));"""


def main():
    with scenario(TABLES, tls=True) as (server, daemon):
        daemon.configure({"source.url": server.url(tls=True)})
        daemon.start().wait_ready()
        encrypted = server.value("SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_replication r USING (pid)"
                                 " WHERE s.ssl")
        expect(encrypted == "1", f"{encrypted} streams over TLS")
        server.psql(STEP.format(0))
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")

        daemon.configure({})
        daemon.start().wait_ready()
        server.psql(STEP.format(100000))
        daemon.catch_up()
        counts = daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")

        _, another = make_certificate(server.root, "another")
        daemon.configure({"source.url": server.url(tls=True).replace("server.crt", another.name)})
        expect_refusal(daemon, "certificate verify failed")
    print(f"equal: {counts}")


main()
