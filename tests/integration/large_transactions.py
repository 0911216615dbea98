#!/usr/bin/python3
"""Goal: one transaction larger than the journal's bound, one of many savepoints, half of them rolled back, and
prepared ones arrive as the source has them, and the journal is free again."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import LOADED_LSN  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE public.t (id int PRIMARY KEY, note text);
CREATE TABLE public.other (id int PRIMARY KEY);"""
OPTIONS = {"journal.max_bytes": "4MiB", "journal.segment_bytes": "1MiB", "batch.memory": "64MiB"}
JOURNAL_BYTES_MAX = 4 << 20

LARGER_THAN_THE_JOURNAL = """
INSERT INTO other VALUES (1);
INSERT INTO t SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 60000) i;
INSERT INTO other VALUES (2);"""

# Each exception rolls a subtransaction back, and what one of them inserted, updated and deleted with it.
SAVEPOINTS = """
DO $$
BEGIN
  FOR part IN 0 .. 299 LOOP
    BEGIN
      INSERT INTO t SELECT 100000 + part * 100 + i, 'part ' || part FROM generate_series(0, 99) i;
      UPDATE t SET note = 'changed in ' || part WHERE id BETWEEN part * 10 + 1 AND part * 10 + 10;
      DELETE FROM t WHERE id = 30000 + part;
      UPDATE t SET id = id + 200000 WHERE id = 40000 + part;
      IF part % 2 = 1 THEN
        RAISE EXCEPTION 'roll it back';
      END IF;
    EXCEPTION WHEN raise_exception THEN
      INSERT INTO other VALUES (1000 + part);
    END;
  END LOOP;
END $$;"""

PREPARED = """
BEGIN; UPDATE t SET note = 'prepared' WHERE id % 3 = 0; INSERT INTO other VALUES (3);
PREPARE TRANSACTION 'stays';
BEGIN; DELETE FROM t WHERE id % 3 = 1; PREPARE TRANSACTION 'goes';
ROLLBACK PREPARED 'goes';"""


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:  # released meanwhile
        return 0


def journal_bytes(daemon):
    return sum(map(size_of, daemon.journal.iterdir()))


def main():
    with scenario(TABLES, options=OPTIONS, settings={"max_prepared_transactions": "2"}) as (server, daemon):
        daemon.start().wait_ready()
        server.psql(LARGER_THAN_THE_JOURNAL)
        daemon.catch_up()
        daemon.compare()
        daemon.wait("the journal is free", lambda: journal_bytes(daemon) < JOURNAL_BYTES_MAX)
        size = journal_bytes(daemon)
        flushed = server.lsn()
        server.psql("INSERT INTO other VALUES (9)")
        daemon.wait("the slot moves", lambda: server.value(
            f"SELECT confirmed_flush_lsn - '0/0' > {flushed} FROM pg_replication_slots") == "t")

        server.psql(SAVEPOINTS)
        daemon.catch_up()
        daemon.compare()

        server.psql(PREPARED)
        before = server.lsn()
        server.psql("INSERT INTO other VALUES (4)")
        daemon.wait("a prepared transaction holds nobody up",
                    lambda: daemon.position(LOADED_LSN) > before)
        daemon.kill()
        daemon.start().wait_ready()
        server.psql("COMMIT PREPARED 'stays'")
        daemon.catch_up()
        counts = daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
    print(f"equal: {counts}; {size} bytes of journal after the large transaction")


main()
