#!/usr/bin/python3
"""Goal: a table with a row nearly as large as max_row_bytes allows is copied, and changed where the large value is not
sent again; one that is larger waits for a person, with the reason, and the others are copied."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from daemon import COMING, NOT_LIVE  # noqa: E402
from scenario import expect, scenario  # noqa: E402

# 32 bytes each; 64 MiB is the most by default.
TEXT = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, {}) g)"
TABLES = f"""
CREATE TABLE public.large (id int PRIMARY KEY, n int, v text);
ALTER TABLE public.large ALTER v SET STORAGE EXTERNAL;
INSERT INTO large VALUES (1, 1, 'small'), (2, 2, {TEXT.format(60 * 1000 * 1000 // 32)}), (3, 3, NULL);
CREATE TABLE public.larger (id int PRIMARY KEY, v text);
ALTER TABLE public.larger ALTER v SET STORAGE EXTERNAL;
INSERT INTO larger VALUES (1, {TEXT.format(2200 * 1000)});"""


def main():
    with scenario(TABLES) as (server, daemon):
        daemon.start().wait_ready()
        daemon.wait("all that can be is copied", lambda: daemon.said(COMING) == [] and daemon.said(NOT_LIVE), 120)
        left = {entry["table"]: entry["reason"] for entry in daemon.said(NOT_LIVE)}
        expect(list(left) == ["public.larger"] and "max_row_bytes" in left["public.larger"], f"left: {left}")
        server.psql("UPDATE large SET n = n + 1; UPDATE large SET id = 20 WHERE id = 2;")
        daemon.catch_up(set_aside=True)
        daemon.compare([("public", "large")])
        server.psql("DELETE FROM larger")
        code, printed, said = daemon.run("resync", "larger")
        expect(code == 0, f"resync: {code}\n{printed}{said}")
        daemon.wait_live(3)
        daemon.catch_up()
        daemon.compare()
        peak = next(line.split()[1] for line in Path(f"/proc/{daemon.process.pid}/status").read_text(
            encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    print(f"equal; the daemon took {int(peak) >> 10} MiB; {left}")


main()
