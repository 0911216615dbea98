"""What holds for a whole run of the benchmark."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUICK = os.environ.get("QUICK", "") not in ("", "0")
SCALE, RUNS = (0.1, 1) if QUICK else (1, 3)
BUILD = Path(os.environ.get("RE_DMS_BUILD", ROOT / "build" / "release"))
RESULTS = ROOT / "build" / "bench.json"
MEMORY_MIB = 256
# 5 ms more for every fsync of the daemon.
SLOW_FSYNC = {"LD_PRELOAD": str(BUILD / "tests" / "crash" / "lose_unsynced.so"), "FSYNC_DELAY_MS": "5"}
