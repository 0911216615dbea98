#!/usr/bin/python3
"""Goal: ADD COLUMN is applied where it happened: defaults of old rows, rows of both shapes in one transaction."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import scenario  # noqa: E402

TABLES = "CREATE TABLE public.grows (id serial PRIMARY KEY, a text);"
STEPS = [
    "INSERT INTO grows (a) SELECT 'first' FROM generate_series(1, 100);"
    " ALTER TABLE grows ADD b int DEFAULT 7; UPDATE grows SET b = id WHERE id < 10;"
    " INSERT INTO grows (a, b) VALUES ('after', NULL);",
    "ALTER TABLE grows ADD c text; ALTER TABLE grows ADD d text DEFAULT 'it''s \"d\"';"
    " INSERT INTO grows (c) VALUES ('x');",
    "BEGIN; INSERT INTO grows (a) VALUES ('before, same transaction');"
    " UPDATE grows SET a = 'updated' WHERE id = 20; DELETE FROM grows WHERE id = 21;"
    " ALTER TABLE grows ADD e timestamptz DEFAULT '2024-02-29 12:00+00', ADD \"F f\" numeric(8,3) DEFAULT 1.5;"
    " INSERT INTO grows (a, e) VALUES ('after, same transaction', NULL);"
    " UPDATE grows SET e = NULL WHERE id = 22; COMMIT;",
    "ALTER TABLE grows ADD g boolean NOT NULL DEFAULT true; DELETE FROM grows WHERE id = 23;",
    "BEGIN; ALTER TABLE grows ADD rolled_back int; INSERT INTO grows (a) VALUES ('no'); ROLLBACK;"
    " INSERT INTO grows (a) VALUES ('yes');",
    "ALTER TABLE grows ADD h bytea DEFAULT '\\x00ff', ADD i text[] DEFAULT '{a,NULL}',"
    " ADD j jsonb DEFAULT '{\"k\": 1}', ADD k uuid DEFAULT '00000000-0000-0000-0000-000000000001';"
    " INSERT INTO grows (a) VALUES ('last');",
]


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        for step in STEPS:
            server.psql(step)
            daemon.catch_up()
            daemon.compare()
        daemon.stop()
        server.psql("ALTER TABLE grows ADD away int DEFAULT 1; INSERT INTO grows (a) VALUES ('away');"
                    " ALTER TABLE grows ADD away2 int DEFAULT 2; UPDATE grows SET away2 = id;")
        daemon.start().wait_ready()
        daemon.catch_up()
        counts = daemon.compare()
    print(f"equal: {counts}")


main()
