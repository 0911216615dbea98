#!/usr/bin/python3
"""Goal: `make install` places program, library, units, pages and documents below its prefix and nowhere else, and what
it places works there.

    install.py BUILD
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

WANTED = """bin/re_dms lib/re_dms/libduckdb.so libexec/re_dms/re_dms_demo lib/systemd/system/re_dms.service
lib/systemd/system/re_dms@.service share/man/man1/re_dms.1.gz share/bash-completion/completions/re_dms
share/zsh/vendor-completions/_re_dms share/fish/vendor_completions.d/re_dms.fish share/doc/re-dms/configuration.md
share/doc/re-dms/operations.md share/doc/re-dms/changelog.gz share/doc/re-dms/examples/re_dms.toml""".split()


def main():
    with tempfile.TemporaryDirectory(prefix="re_dms_install.") as folder:
        subprocess.run(["cmake", "--install", sys.argv[1], "--prefix", "/opt/re_dms"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DESTDIR": folder})
        prefix = Path(folder) / "opt" / "re_dms"
        missing = [path for path in WANTED if not (prefix / path).is_file()]
        placed = [path for path in Path(folder).rglob("*") if path.is_file()]
        outside = [path for path in placed if prefix not in path.parents]
        config = prefix / "re_dms.toml"
        # A server that cannot be there: by then the library is loaded, or its absence is said.
        config.write_text(f'[source]\nurl = "host={folder} dbname=none"\n[warehouse]\nurl = "duckdb://{folder}/w.duckdb"\n'
                          f'[journal]\ndirectory = "{folder}/journal"\nreserve_bytes = "1MiB"\n'
                          '[observe]\nlisten = "off"\n', encoding="utf-8")
        said = subprocess.run([prefix / "bin" / "re_dms", "check", "-c", config], capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/bin:/bin"}).stdout
        if missing or outside or "w.duckdb can be written" not in said:
            sys.exit(f"missing: {missing}\noutside of the prefix: {outside}\ncheck:\n{said}")
        print(f"{len(placed)} files below the prefix")


main()
