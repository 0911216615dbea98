#!/usr/bin/python3
"""Goal: systemd takes the units as they are, and finds them hardened: `systemd-analyze verify` and `security`.

    units.py PACKAGES     those that build.sh made
"""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from clean_root import CleanRoot, require_root  # noqa: E402
from scenario import expect  # noqa: E402

EXPOSURE_MAX = 2.0
FOLDER = "/usr/lib/systemd/system"


def main():
    require_root()
    with CleanRoot(systemd=True) as root:
        root.install(Path(sys.argv[1]) / "1")
        for unit in ("re_dms.service", "re_dms@eu.service"):
            said = root.run(f"systemd-analyze verify --man=no {unit}")
            expect(not said.strip(), f"systemd-analyze verify {unit}:\n{said}")
        root.run(f"cp {FOLDER}/re_dms@.service {FOLDER}/re_dms@eu.service")
        for unit in ("re_dms.service", "re_dms@eu.service"):
            said = root.run(f"systemd-analyze security --offline=true --no-pager {unit}")
            exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
            expect(exposure and float(exposure[1]) < EXPOSURE_MAX, f"too exposed:\n{said}")
            print(said.strip().splitlines()[-1])


main()
