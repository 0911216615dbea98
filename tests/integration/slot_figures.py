#!/usr/bin/python3
"""Goal: the metrics of the slot's health are what the server says of it: WAL that an old transaction holds, WAL that
is left until the slot is lost, since when the oldest that is not confirmed is there; and the lag grows while the source
is away, though nobody commits."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from holding_proxy import HoldingProxy  # noqa: E402
from scenario import expect, scenario  # noqa: E402

MIB = 1 << 20
WRITTEN = 48 * MIB
# More than the server writes by itself meanwhile, less than the old transaction holds.
LITTLE = 34 * MIB
SETTINGS = {"max_slot_wal_keep_size": "1GB", "logical_decoding_work_mem": "64kB"}


def value(daemon, name):
    lines = [line.split() for line in daemon.get("/metrics")[1].splitlines() if line.startswith(name + " ")]
    return float(lines[0][1]) if lines else None


def clock(server):
    return float(server.value("SELECT extract(epoch FROM clock_timestamp())"))


def check_age():
    """WAL that the stream holds back is there since the first look that saw it, also where nothing comes behind it."""
    with scenario("CREATE TABLE public.t (id int PRIMARY KEY)") as (server, daemon), HoldingProxy(server) as proxy:
        daemon.configure({"source.url": proxy.url(), "observe.slot_interval": "200ms"})

        def look():
            """When the slot was seen, and how old what is not confirmed was then; of one look."""
            while True:
                seen, age = (value(daemon, f"re_dms_slot_{name}") for name in ("seen_timestamp_seconds", "lag_seconds"))
                if value(daemon, "re_dms_slot_seen_timestamp_seconds") == seen:
                    return seen, age

        def next_look(beyond):
            daemon.wait(f"the slot is seen after {beyond}", lambda: look()[0] > beyond)
            return look()

        def confirmed():
            daemon.catch_up()
            daemon.wait("all is confirmed", lambda: value(daemon, "re_dms_slot_lag_seconds") == 0)

        daemon.start().wait_live(2)
        age = 1
        while age:
            # The server writes WAL of its own now and then, maybe just behind the last confirmation.
            proxy.let_go()
            confirmed()
            proxy.hold()
            before, age = next_look(clock(server))
        server.psql("INSERT INTO t VALUES (1)")
        # One look may have begun before the commit and ended behind it.
        first, _ = next_look(clock(server))
        latest, _ = next_look(first)
        since = []
        for _ in range(5):
            seen, age = next_look(latest if not since else seen)
            since.append(seen - age)
        expect(all(before <= one <= latest for one in since), f"there since {since}, not from {before} to {latest}")
        expect(max(since) - min(since) < 0.001, f"nothing came behind it, and it was there since {since}")
        proxy.let_go()
        confirmed()
        expect(daemon.stop() == 0, "it ends")


def check_health():
    with scenario("CREATE TABLE public.t (id int PRIMARY KEY)", settings=SETTINGS,
                  options={"observe.slot_interval": "200ms"}) as (server, daemon):
        daemon.start().wait_live(2)
        daemon.wait("the slot is seen", lambda: value(daemon, "re_dms_slot_active") == 1)
        with server.session() as old:
            old.must("BEGIN; INSERT INTO t VALUES (1)")
            server.psql("CHECKPOINT")
            server.psql(f"SELECT count(pg_logical_emit_message(false, 'x', repeat('x', {MIB}))) "
                        f"FROM generate_series(1, {WRITTEN // MIB})")
            daemon.catch_up()
            daemon.wait("the old transaction holds WAL", lambda: value(daemon, "re_dms_slot_lag_bytes") > WRITTEN)
            held = value(daemon, "re_dms_slot_lag_bytes")
            said = int(server.value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint "
                                    "FROM pg_replication_slots"))
            expect(abs(held - said) < MIB, f"held: {held}, the server says {said}")
            daemon.wait("all of it is confirmed", lambda: value(daemon, "re_dms_slot_unconfirmed_bytes") < MIB)
            safe = value(daemon, "re_dms_slot_safe_wal_bytes")
            expect(0 < safe < 1024 * MIB, f"until it is lost: {safe}")
            expect(value(daemon, "re_dms_slot_wal_status") in (0, 1), "it is in no danger")
            old.must("COMMIT")

        # A transaction that is larger than the server decodes in memory.
        server.psql("INSERT INTO t SELECT generate_series(10, 20000)")
        daemon.catch_up()
        daemon.wait("the server tells what it spilled", lambda: value(daemon, "re_dms_slot_spilled_bytes") > 20000 * 8)
        spilled = int(server.value("SELECT spill_bytes FROM pg_stat_replication_slots WHERE slot_name = 're_dms'"))
        daemon.wait("all of it", lambda: value(daemon, "re_dms_slot_spilled_bytes") == spilled)

        def let_go():
            # The slot's restart_lsn moves with what the server writes of running transactions.
            server.psql("CHECKPOINT; INSERT INTO marker DEFAULT VALUES")
            return value(daemon, "re_dms_slot_lag_bytes") < LITTLE

        daemon.wait("it is let go", let_go)
        daemon.catch_up()
        daemon.wait("no lag", lambda: value(daemon, "re_dms_lag_seconds") == 0)

        seen = value(daemon, "re_dms_slot_seen_timestamp_seconds")
        server.stop()
        daemon.wait("the lag grows", lambda: value(daemon, "re_dms_lag_seconds") > 1)
        expect(value(daemon, "re_dms_up") == 0, "it is not up")
        expect('re_dms_state{state="reconnecting"} 1' in daemon.get("/metrics")[1], "it says why")
        last = value(daemon, "re_dms_slot_seen_timestamp_seconds")
        server.start()
        daemon.wait("the slot is seen again", lambda: value(daemon, "re_dms_slot_seen_timestamp_seconds") > last >= seen)
        daemon.wait("no lag again", lambda: value(daemon, "re_dms_lag_seconds") == 0)
        retries = [line for line in daemon.get("/metrics")[1].splitlines()
                   if line.startswith('re_dms_retries_total{of="source"}')]
        expect(float(retries[0].split()[1]) > 0, f"retries are counted: {retries}")
        expect(daemon.stop() == 0, "it ends")


check_age()
check_health()
