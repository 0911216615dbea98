#!/usr/bin/python3
"""Goal: the packages hold what they should, stripped and with their debug symbols apart, and lintian finds no error.

    deb.py PACKAGES     those that build.sh made
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from clean_root import CleanRoot, require_root  # noqa: E402
from scenario import expect  # noqa: E402

DAEMON = {"/usr/bin/re_dms", "/usr/libexec/re_dms/re_dms_demo", "/usr/lib/systemd/system/re_dms.service",
          "/usr/lib/systemd/system/re_dms@.service", "/etc/re_dms/re_dms.toml", "/usr/share/man/man1/re_dms.1.gz",
          "/usr/share/bash-completion/completions/re_dms", "/usr/share/doc/re-dms/copyright",
          "/usr/share/doc/re-dms/changelog.Debian.gz", "/usr/share/doc/re-dms/operations.md"}
DUCKDB = {"/usr/lib/re_dms/libduckdb.so", "/usr/share/doc/re-dms-duckdb/copyright",
          "/usr/share/doc/re-dms-duckdb/changelog.Debian.gz"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def contents(package):
    """{path: (mode, owner)} of the files."""
    rows = (line.split(None, 5) for line in output("dpkg-deb", "--contents", package).splitlines())
    return {row[5].removeprefix(".").split(" -> ")[0]: (row[0], row[1]) for row in rows if not row[5].endswith("/")}


def build_id(path):
    return re.search(r"Build ID: ([0-9a-f]+)", output("readelf", "-n", path))[1]


def judge(folder):
    daemon, duckdb = next(folder.glob("re-dms_*.deb")), next(folder.glob("re-dms-duckdb_*.deb"))
    symbols = next(folder.glob("re-dms-dbgsym_*.ddeb"))
    found = contents(daemon)
    expect(DAEMON <= set(found), f"missing: {DAEMON - set(found)}")
    expect(all(owner == "root/root" for _, owner in found.values()), f"owners: {found}")
    expect(not any("duckdb" in path for path in found if not path.endswith(".md")), "DuckDB is in a package of its own")
    expect(DUCKDB <= set(contents(duckdb)), f"missing: {DUCKDB - set(contents(duckdb))}")
    depends = output("dpkg-deb", "--field", daemon, "Depends")
    expect("libpq5" in depends and "libsystemd0" in depends and "duckdb" not in depends, depends)
    with tempfile.TemporaryDirectory(prefix="re_dms_deb.") as place:
        output("dpkg-deb", "--extract", daemon, place)
        output("dpkg-deb", "--extract", symbols, place)
        program = f"{place}/usr/bin/re_dms"
        expect(".symtab" not in output("readelf", "-S", "-W", program), "the program is stripped")
        number = build_id(program)
        debug = Path(place) / "usr/lib/debug/.build-id" / number[:2] / f"{number[2:]}.debug"
        expect(debug.exists() and ".debug_info" in output("readelf", "-S", "-W", str(debug)), f"no symbols for {number}")
    return [daemon, duckdb]


def of_another_duckdb(root, package):
    """A package as that of a release with another DuckDB; the path of it in the root."""
    root.run(f"rm -rf /var/tmp/other && dpkg-deb -R /var/tmp/{package.name} /var/tmp/other"
             " && sed -i 's/^Version:.*/Version: 9.9.9-1/; s/^Provides:.*/Provides: re-dms-libduckdb (= 9.9.9)/'"
             " /var/tmp/other/DEBIAN/control && dpkg-deb -b /var/tmp/other /var/tmp/other.deb")
    return "/var/tmp/other.deb"


def judge_upgrades(root, packages, later):
    """The program and the library it takes are upgraded together; where DuckDB is the same, either alone."""
    daemon, duckdb = packages
    code, said = root.run(f"dpkg -i {of_another_duckdb(root, duckdb)}", check=False)
    expect(code != 0 and "breaks" in said, f"a library that the program would refuse is not installed: {code}\n{said}")
    said = root.run(f"dpkg -i /var/tmp/{duckdb.name}")
    expect("breaks" not in said, f"the one that it takes is:\n{said}")
    # Named together, apt takes both or neither.
    code, said = root.run("apt-get install -q -y --no-install-recommends --no-remove /var/tmp/other.deb", check=False)
    expect(code != 0, f"apt does not either, unless it may remove the program:\n{said}")
    root.copy(later, f"/var/tmp/{later.name}")
    said = root.run(f"apt-get install -q -y --no-install-recommends /var/tmp/{later.name}")
    expect("REMOVED" not in said, f"another revision with the same DuckDB takes nothing away:\n{said}")
    version = root.run("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' re-dms re-dms-duckdb").split("\n")
    expect(version[0].endswith("-2 installed") and version[1].endswith("-1 installed"), f"{version}")
    root.run(f"apt-get install -q -y --allow-downgrades --no-install-recommends /var/tmp/{daemon.name}")


def main():
    require_root()
    packages = judge(Path(sys.argv[1]) / "1")
    with CleanRoot() as root:
        root.run("apt-get install -q -y --no-install-recommends lintian zsh fish groff-base man-db")
        for package in packages:
            root.copy(package, f"/var/tmp/{package.name}")
        names = " ".join(f"/var/tmp/{package.name}" for package in packages)
        code, said = root.run(f"lintian --fail-on error --tag-display-limit 0 --allow-root {names}", check=False)
        print(said)
        expect(code == 0, "lintian finds errors")
        root.run(f"apt-get install -q -y --no-install-recommends {names}")
        judge_upgrades(root, packages, next((Path(sys.argv[1]) / "2").glob("re-dms_*.deb")))
        root.run("zsh -n /usr/share/zsh/vendor-completions/_re_dms"
                 " && fish --no-execute /usr/share/fish/vendor_completions.d/re_dms.fish")
        warned = root.run("zcat /usr/share/man/man1/re_dms.1.gz | groff -man -ww -Tutf8 2>&1 >/dev/null")
        expect(not warned, f"groff warns of the manual page:\n{warned}")
    print(f"lintian: no error in {len(packages)} packages, {len(re.findall('^W: ', said, re.M))} warnings")


main()
