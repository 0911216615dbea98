#!/usr/bin/python3
"""Goal: in Redshift too a table that is there is adopted, with its view and columns of its own, or begins without a
copy; one that does not fit is set aside with the reason."""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
os.environ["RE_DMS_TEST_TARGET"] = "redshift"
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, v text, n int);
INSERT INTO orders SELECT g, 'text ' || g, g % 7 FROM generate_series(1, 500) g;
CREATE TABLE log (id int PRIMARY KEY, v text); INSERT INTO log VALUES (1, 'before');
CREATE TABLE unfit (id int PRIMARY KEY, v text); INSERT INTO unfit VALUES (1, 'one');"""
TARGET = ["CREATE SCHEMA IF NOT EXISTS public",
          "CREATE TABLE public.orders (extra varchar(20), n int, made varchar(20) DEFAULT 'here', v varchar(65535),"
          " id int NOT NULL)",
          "CREATE VIEW public.seen AS SELECT id, v, n, extra, made FROM public.orders",
          "INSERT INTO public.orders (id, v) VALUES (-1, 'theirs')",
          "CREATE TABLE public.log (v varchar(65535), id int, extra int DEFAULT 5)",
          "INSERT INTO public.log VALUES ('theirs', -1, 6)",
          "CREATE TABLE public.unfit (id int, v int)"]
MODES = [{"match": "public.orders", "initial_copy": "adopt"}, {"match": "public.log", "initial_copy": "never"},
         {"match": "public.unfit", "initial_copy": "adopt"}]
SEEN = "SELECT id, v, n, extra, made FROM public.seen ORDER BY id"


def expect_orders(server, daemon):
    wanted = [[*row, None, "here"] for row in server.rows("SELECT id, v, n FROM orders ORDER BY id")]
    found = daemon.target.query(SEEN)
    expect(found == wanted, f"orders: {found[:5]} … {len(found)} rows, not {wanted[:5]} … {len(wanted)}")


def main():
    with scenario(TABLES, options={"table": MODES}) as (server, daemon):
        for statement in TARGET:
            daemon.target.execute(statement)
        daemon.start().wait_ready()
        daemon.wait("all are decided", lambda: daemon.said(COMING) == [] and daemon.said(("tables", "live")) == 3)
        reasons = {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE)}
        expect(list(reasons) == ["public.unfit"] and '"v" is integer' in reasons["public.unfit"], f"{reasons}")
        server.psql("UPDATE orders SET v = 'changed' WHERE id < 10; DELETE FROM orders WHERE id > 490;"
                    " INSERT INTO orders VALUES (1000, 'new', NULL); DELETE FROM log; INSERT INTO log VALUES (2, 'behind')")
        daemon.catch_up(set_aside=True)
        expect_orders(server, daemon)
        rows = daemon.target.query("SELECT id, v, extra FROM public.log ORDER BY id")
        expect(rows == [["-1", "theirs", "6"], ["2", "behind", "5"]], f"log: {rows}")
        expect("rows_not_there" in daemon.log_text(), "the row that was there before is counted")
        # Again: the view stays, and so does what others put beside.
        code, _, said = daemon.run("resync", "public.orders")
        expect(code == 0, said)
        daemon.wait("it was copied", lambda: daemon.log_text().count('"copied"') >= 2 and daemon.said(COMING) == [])
        server.psql("ALTER TABLE orders ADD COLUMN later int DEFAULT 3; UPDATE orders SET n = 8 WHERE id = 20")
        daemon.catch_up(set_aside=True)
        expect_orders(server, daemon)
        later = daemon.target.value("SELECT count(*) FROM public.orders WHERE later = 3")
        expect(later == server.value("SELECT count(*) FROM orders"), f"{later} rows have the new column")


main()
