#!/usr/bin/python3
"""Goal: every subset of unchanged long columns keeps its values, within a batch and across batches."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

COLUMNS = ["a", "b", "c", "d"]
TABLES = """
CREATE TABLE public.long (id int PRIMARY KEY, n int, a text, b json, c text[], d bytea);
ALTER TABLE public.long ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL,
  ALTER c SET STORAGE EXTERNAL, ALTER d SET STORAGE EXTERNAL;
CREATE FUNCTION public.filled(salt text) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(md5(salt || i), '') FROM generate_series(1, 150) i $$;"""
VALUES = {"a": "filled('{0}')", "b": "json_build_object('k', filled('{0}'))",
          "c": "ARRAY[filled('{0}'), NULL]", "d": "convert_to(filled('{0}'), 'UTF8')"}


def insert(row):
    values = ", ".join(VALUES[column].format(f"{row}{column}") for column in COLUMNS)
    return f"INSERT INTO long VALUES ({row}, 0, {values});"


def update(row, mask, salt):
    """Changes the columns of MASK only; the others are not in the stream."""
    changes = [f"{column} = " + ("NULL" if salt == "null" else VALUES[column].format(f"{salt}{row}"))
               for bit, column in enumerate(COLUMNS) if mask >> bit & 1]
    return f"UPDATE long SET {', '.join(['n = n + 1', *changes])} WHERE id = {row};"


def main():
    masks = range(1 << len(COLUMNS))
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        server.psql("".join(insert(row) for row in masks))
        daemon.catch_up()
        steps = {
            "one subset a row": [update(row, row, "x") for row in masks],
            "two subsets in a batch": [update(row, row, "y") + update(row, 15 - row, "z") for row in masks],
            "NULL": [update(row, row, "null") for row in masks],
            "inserted and updated in a batch": [insert(row + 100) + update(row + 100, row, "w")
                                                for row in masks],
            "key moved, columns unknown": [update(row, row, "v") + f"UPDATE long SET id = {row + 200}"
                                           f" WHERE id = {row};" for row in masks],
            "moved and back": [f"UPDATE long SET id = -1 WHERE id = {row + 200};"
                               + update(-1, row, "u")
                               + f"UPDATE long SET id = {row + 200} WHERE id = -1;" for row in masks],
            "deleted and inserted": [f"DELETE FROM long WHERE id = {row + 100};" + insert(row + 100)
                                     for row in masks],
        }
        for name, statements in steps.items():
            server.psql("BEGIN;" + "".join(statements) + "COMMIT;")
            daemon.catch_up()
            daemon.compare()
            print("equal:", name)
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
