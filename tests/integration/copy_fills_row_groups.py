#!/usr/bin/python3
"""Goal: a copy that DuckDB takes in several transactions leaves full row groups, so that none of them has to write again what
one before it wrote."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402

ROWS, GROUP_ROWS = 400_000, 122_880
TABLES = f"""
CREATE TABLE public.narrow (id int PRIMARY KEY, note text);
INSERT INTO public.narrow SELECT g, md5(g::text) FROM generate_series(1, {ROWS}) g;"""
GROUPS = """
SELECT row_group_id, sum(count) FROM pragma_storage_info('public.narrow')
WHERE column_name = 'id' AND segment_type <> 'VALIDITY' GROUP BY 1 ORDER BY 1"""
STEPS = "SELECT count(*) FROM re_dms.loads WHERE source_table = 'narrow' AND rows > 0"


def main():
    with scenario(TABLES, options={"batch.memory": "64MiB", "source.workers": 1}) as (_server, daemon):
        code, _, said = daemon.run("run", "--until", "now")
        expect(code == 0, said)
        daemon.compare([("public", "narrow")])
        with daemon.target.open() as duck:
            groups = [int(rows) for _, rows in duck.query(GROUPS)]
            steps = int(duck.query(STEPS)[0][0])
    expect(steps > 2, f"loaded in {steps} transactions")
    expect(sorted(groups, reverse=True) == [GROUP_ROWS] * (ROWS // GROUP_ROWS) + [ROWS % GROUP_ROWS], f"{groups}")
    print(f"{ROWS} rows in {steps} transactions: {groups}")


main()
