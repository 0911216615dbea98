"""The lines of build/bench.json, and the limits they are held against."""

import json

from settings import MEMORY_MIB, RESULTS

# (workloads or None for all, metric, what it must not exceed): of the ratio where there is a peer.
LIMITS = [
    (None, "staged", 1.3),
    (None, "staged against pg_recvlogical over TCP", 1.0),
    (None, "loaded", 1.6),
    (None, "staged over TLS", 1.3),
    (None, "loaded over TLS", 1.6),
    (None, "loaded against pg_recvlogical over TLS", 1.2),
    (("W1",), "CPU to staged", 4.0),
    (("W1",), "CPU to loaded", 8.0),
    (None, "peak memory", MEMORY_MIB + 256),
    (None, "staged with slow fsync", 1.1),
    (("W5",), "staged: one table, 1 worker", 1.3),
    (("W5",), "loaded: one table, 1 worker", 2.2),
    (("W5",), "staged: many tables, 1 worker", 1.3),
    (("W5",), "loaded: many tables, 1 worker", 2.2),
    (("W5",), "CPU to staged: one table", 3.0),
    (("W5",), "largest lag while 1000000 rows are added", 2.0),
    (("W6",), "inserts", 2.5),
    (("W6",), "updates", 2.5),
    (("W6",), "one row", 2.0),
    (("W7",), "CPU to staged, more than to a directory", 2.0),
    (("W7",), "loaded from a slow store", 1.3),
    (("L",), "p50", 0.9),
    (("L",), "p99", 1.8),
    (("L",), "p50 over TLS", 0.9),
    (("L",), "p99 over TLS", 1.8),
    (("L",), "p50 added by slow fsync", 0.05),
]


class Results:
    """Lines of build/bench.json, as they come."""

    def __init__(self):
        self.lines = []

    def add(self, workload, metric, value, unit, peer=None, peer_value=None):
        ratio = round(value / peer_value, 3) if peer_value else None
        self.lines.append({"workload": workload, "metric": metric, "value": round(value, 4),
                           "unit": unit, "peer": peer, "ratio": ratio})
        shown = f"  {metric:<42}{value:>10.2f} {unit:<8}"
        print(shown + (f"{ratio:.2f} x {peer}" if ratio else ""), flush=True)

    def write(self):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(self.lines, indent=1) + "\n", encoding="utf-8")

    def missed(self):
        for line in self.lines:
            for workloads, metric, limit in LIMITS:
                if line["metric"] == metric and (not workloads or line["workload"] in workloads):
                    value = line["value"] if line["ratio"] is None else line["ratio"]
                    if value > limit:
                        yield f"{line['workload']} {metric}: {value:.2f}, not {limit} or less"
