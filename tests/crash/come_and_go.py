"""Tables that come and go: made with rows in them, dropped, made anew, renamed; and a client that writes to those that
are there."""

import threading

from postgres import PostgresError
from traffic import CLIENT_SETTINGS

# {0} is the name, {1} a number that nothing else has: indexes and partitions keep theirs when their table gets another
# name. Each has an id, an n and a text that may stay outside the row.
KINDS = [
    "CREATE TABLE {0} (id int PRIMARY KEY, n int, body text)",
    "CREATE TABLE {0} (body text, n int, id bigint, odd text DEFAULT 'x', PRIMARY KEY (id))",
    "CREATE TABLE {0} (id int, n int, body text); ALTER TABLE {0} REPLICA IDENTITY FULL",
    "CREATE TABLE {0} (id int NOT NULL, n int, body text); CREATE UNIQUE INDEX {0}_{1} ON {0} (id);"
    " ALTER TABLE {0} REPLICA IDENTITY USING INDEX {0}_{1}",
    "CREATE TABLE {0} (id int PRIMARY KEY, n int, body text) PARTITION BY RANGE (id);"
    " CREATE TABLE {0}_{1}_low PARTITION OF {0} FOR VALUES FROM (MINVALUE) TO (50);"
    " CREATE TABLE {0}_{1}_high PARTITION OF {0} DEFAULT",
]
FILL = (" ALTER TABLE {0} ALTER body SET STORAGE EXTERNAL;"
        " INSERT INTO {0} (id, n, body) SELECT g, g, repeat(md5(g::text), g % 90) FROM generate_series(1, {1}) g;")
ROWS = [0, 1, 100, 2000, 10000]
# One thing that is done to one of the tables.
WORK = """DO $$
DECLARE
  t text;
  k int := random() * 200;
BEGIN
  SELECT oid::regclass INTO t FROM pg_class WHERE relname LIKE 'life%' AND relkind IN ('r', 'p') AND NOT relispartition
  ORDER BY random() LIMIT 1;
  IF t IS NULL THEN RETURN; END IF;
  EXECUTE format((ARRAY[
    'INSERT INTO %1$s (id, n, body) SELECT %2$s + g, 0, repeat(md5(g::text), 80) FROM generate_series(0, 3) g'
      ' ON CONFLICT DO NOTHING',
    'INSERT INTO %1$s (id, n, body) VALUES (%2$s, -1, NULL)',
    'UPDATE %1$s SET n = n + 1 WHERE id = %2$s', 'UPDATE %1$s SET n = n + 1 WHERE id BETWEEN %2$s AND %2$s + 9',
    'UPDATE %1$s SET id = -id WHERE id = %2$s', 'UPDATE %1$s SET id = 200 - id WHERE id IN (%2$s, 200 - %2$s, 100)',
    'UPDATE %1$s SET body = ''short'' WHERE id = %2$s', 'DELETE FROM %1$s WHERE id BETWEEN %2$s AND %2$s + 2'
  ])[1 + floor(random() * 8)], t, k);
  IF random() < 0.01 THEN EXECUTE 'TRUNCATE ' || t; END IF;
  IF random() < 0.01 THEN EXECUTE format('ALTER TABLE %s ADD "later %s" int DEFAULT 7', t, random()); END IF;
END $$"""
# So that what was done last to their columns is heard of.
TOUCH = """DO $$
DECLARE
  t regclass;
BEGIN
  FOR t IN SELECT oid FROM pg_class WHERE relname LIKE 'life%' AND relkind = 'r' LOOP
    EXECUTE format('DELETE FROM %s WHERE id BETWEEN 40 AND 60', t);
    EXECUTE format('INSERT INTO %s (id, n, body) VALUES (49 + %s, 0, ''last'')', t, (t::text LIKE '%high')::int);
  END LOOP;
END $$"""
ROOTS = ("SELECT relname FROM pg_class WHERE relname LIKE 'life%' AND relkind IN ('r', 'p') AND NOT relispartition"
         " ORDER BY 1")
LEAVES = "SELECT relname FROM pg_class WHERE relname LIKE 'life%' AND relkind = 'r'"


class ComeAndGo:
    """`with` it the client writes; the tables are made and dropped by whoever calls. A lost session is opened again."""

    def __init__(self, server, dice):
        self.transactions = 0
        self._server, self._dice = server, dice
        self._made = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _write(self):
        session = None
        while not self._stop.wait(0.005):
            try:
                session = session or self._server.session()
                session.run(f"{CLIENT_SETTINGS} BEGIN; {WORK}; {WORK}; COMMIT")
                self.transactions += 1
            except PostgresError:
                if session:
                    session.close()
                session = None
        if session:
            session.close()

    def _number(self):
        self._made += 1
        return self._made

    def _roots(self):
        return self._server.psql(ROOTS).split()

    def tables(self):
        """Those that hold rows."""
        return [("public", name) for name in self._server.psql(LEAVES).split()]

    def _ddl(self, name, *, dropped="", separate=False):
        made = self._dice.choice(KINDS).format(name, self._number()) + ";"
        made += FILL.format(name, self._dice.choice(ROWS))
        parts = [dropped, made] if separate else [dropped + made]
        for part in parts:
            self._server.psql(f"BEGIN; {part} COMMIT;")

    def create(self):
        self._ddl(f"life{self._number()}")

    def _one(self):
        names = self._roots()
        return self._dice.choice(names) if names else None

    def drop(self):
        if name := self._one():
            self._server.psql(f"DROP TABLE {name}")

    def make_anew(self):
        """In one transaction or in two, so that there is a time without it."""
        if name := self._one():
            self._ddl(name, dropped=f"DROP TABLE {name};", separate=self._dice.random() < 0.5)

    def swap(self):
        """Two tables change names; one alone gets another name."""
        names = self._roots()
        if len(names) > 1:
            one, other = self._dice.sample(names, 2)
            self._server.psql(f"BEGIN; ALTER TABLE {one} RENAME TO life_third; ALTER TABLE {other} RENAME TO {one};"
                              f" ALTER TABLE life_third RENAME TO {other}; COMMIT;")
        elif names:
            self._server.psql(f"ALTER TABLE {names[0]} RENAME TO life{self._number()}")

    def touch(self):
        self._server.psql(TOUCH)
