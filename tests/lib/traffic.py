#!/usr/bin/python3
"""Random traffic against a PostgreSQL: several clients, each with a stream of random transactions.

What a transaction does is made inside the server (traffic.sql); here are its borders: BEGIN … COMMIT,
savepoints, rollbacks, single statements. A seed repeats the transactions of every client, though not
how those of different clients interleave.
"""

import os
import random
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from duckdb_file import identifier, literal  # noqa: E402
from postgres import PostgresError  # noqa: E402

TABLES = [("public", "int_key"), ("public", "composite_key"), ("public", "uuid_key"),
          ("public", "index_identity"), ("public", "toasted"), ("public", "text_key"),
          ("public", "toasted_key"), ("public", "restless"),
          ("Odd Schema", 'Odd "Table" ü, \'x\''),
          ("da.ta", '012345 sélect * from "ÄÖÜ"."日本語" where true; -- 12345'),
          ("public", "full_plain"), ("public", "full_keyed"), ("public", "full_deferrable")]
INCLUDE = ["public.*", '"Odd Schema".*', '"da.ta".*']
CLIENT_SETTINGS = ("SET deadlock_timeout = '50ms'; SET lock_timeout = '300ms';"
                   " SET client_min_messages = error;")
ADDED = ["integer DEFAULT 7", "text DEFAULT 'it''s new'", "numeric(8,3) DEFAULT 1.5",
         "boolean NOT NULL DEFAULT true", "timestamptz DEFAULT '2024-02-29 12:00:00+00'"]
# Also, to tables that are never truncated; traffic.sql says why.
ADDED_WITHOUT_DEFAULT = ["text", "integer", "jsonb"]

# pgoutput tells of a column with the next row: a table's last one, else one that comes and goes. It has
# the first column and all that have to be there, each of a type that takes one of two texts.
TOUCH = """DO $$
DECLARE
  t record;
  touched int;
BEGIN
  FOR t IN SELECT attrelid::regclass AS name, (array_agg(attname ORDER BY attnum))[1] AS col,
             string_agg(quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE needed) AS cols,
             string_agg(quote_literal(CASE atttypid WHEN 'uuid'::regtype THEN md5('') ELSE '0' END), ', '
                        ORDER BY attnum) FILTER (WHERE needed) AS texts
           FROM pg_attribute, LATERAL (SELECT attnum = 1 OR attnotnull AND NOT atthasdef) made (needed)
           WHERE attrelid IN ({}) AND attnum > 0 AND NOT attisdropped GROUP BY 1
  LOOP
    EXECUTE format('UPDATE %1$s SET %2$I = %2$I WHERE ctid = (SELECT max(ctid) FROM %1$s)',
                   t.name, t.col);
    GET DIAGNOSTICS touched = ROW_COUNT;
    IF touched = 0 THEN
      EXECUTE format('INSERT INTO %s (%s) VALUES (%s)', t.name, t.cols, t.texts);
      EXECUTE format('DELETE FROM %s', t.name);
    END IF;
  END LOOP;
END $$"""


def create_tables(server):
    for script in ["traffic.sql", "traffic_full.sql"]:
        server.psql((HERE / script).read_text(encoding="utf-8"))


def qualified(table):
    return ".".join(map(identifier, table))


def touch_tables(server):
    """Something is written to every table that changes nothing, so that columns added last are heard of."""
    names = ", ".join(literal(qualified(name)) + "::regclass" for name in TABLES)
    server.psql(TOUCH.format(names))


class Traffic:
    """Runs until `stop`; `with Traffic(server, …):` does both ends.

    server   Postgres; a lost session is opened again, so the server may restart meanwhile
    clients  how many sessions
    pause    seconds between two transactions of a client
    columns  adds a column to some table every so many transactions of the first client (0: never);
             half of the tables are then never truncated
    """

    def __init__(self, server, *, seed=None, clients=3, pause=0.0, columns=0):
        self.seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
        self.transactions = 0
        self.errors = []
        self._server, self._pause, self._columns = server, pause, columns
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._added = 0
        self._never_truncated = (random.Random(self.seed).sample(TABLES, len(TABLES) // 2)
                                 if columns else [])
        self._threads = [threading.Thread(target=self._client, args=(number,), daemon=True)
                         for number in range(clients)]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        print(f"traffic: seed {self.seed}, {len(self._threads)} clients", flush=True)
        for table in self._never_truncated:
            self._server.psql("INSERT INTO traffic.never_truncated VALUES"
                              f" ({literal(qualified(table))}) ON CONFLICT DO NOTHING")
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        """Ends the traffic after the transactions under way; raises what went wrong in it."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def run_for(self, seconds=None, transactions=None):
        """Waits while the traffic runs: so many seconds, or until so many transactions are done."""
        deadline = time.monotonic() + (seconds if seconds is not None else 3600)
        while time.monotonic() < deadline and not self.errors:
            if transactions is not None and self.transactions >= transactions:
                return
            time.sleep(0.02)

    def _client(self, number):
        dice = random.Random(self.seed * 1000 + number)
        session = None
        while not self._stop.is_set():
            try:
                session = session or self._connect()
                self._transaction(session, dice, number)
            except PostgresError:
                session = self._lost(session)
            except Exception as error:  # the thread has nobody else to tell
                self.errors.append(error)
                return
            if self._pause:
                self._stop.wait(self._pause)
        if session:
            session.close()

    def _connect(self):
        session = self._server.session()
        session.must(CLIENT_SETTINGS)
        return session

    def _lost(self, session):
        if session:
            session.close()
        self._stop.wait(0.1)

    def _transaction(self, session, dice, number):
        session.run(transaction(dice))
        with self._lock:
            self.transactions += 1
            add = self._columns and number == 0 and self.transactions // self._columns > self._added
        if add:
            self._added += 1
            table = dice.choice(TABLES)
            never = table in self._never_truncated
            column = dice.choice(ADDED + (ADDED_WITHOUT_DEFAULT if never else []))
            session.run(f'ALTER TABLE {qualified(table)} ADD COLUMN "added {self._added}" {column};')


def transaction(dice):
    """The SQL of one random transaction."""
    if dice.random() < 0.3:
        return work(dice, 1)
    lines = ["BEGIN;", *steps(dice, dice.randint(1, 4), "s")]
    lines.append("ROLLBACK;" if dice.random() < 0.1 else "COMMIT;")
    return "\n".join(lines)


def work(dice, things):
    return f"SELECT setseed({dice.uniform(-1, 1):.9f}), traffic.act({things})\\g /dev/null\n"


def steps(dice, count, savepoint):
    """Work, some of it in savepoints (and those in others) that are released or rolled back to; what
    was rolled back to may go on, and be rolled back to again."""
    for step in range(count):
        name = f"{savepoint}{step}"
        if dice.random() >= 0.3:
            yield work(dice, dice.choice([1, 2, 5, 20]))
            continue
        yield f"SAVEPOINT {name};"
        yield work(dice, dice.choice([1, 5]))
        if dice.random() < 0.4:
            yield from steps(dice, 2, f"{name}_")
        while dice.random() < 0.4:
            yield f"ROLLBACK TO SAVEPOINT {name};"
            if dice.random() < 0.6:
                yield work(dice, 2)
        if dice.random() < 0.6:
            yield f"RELEASE SAVEPOINT {name};"
