#!/usr/bin/python3
"""Goal: docs/dependencies.md lists what is used, all of it and nothing else.

    dependencies.py PROGRAM

Compared with its first table: the packages whose headers src/ includes outside of tests, the
libraries that PROGRAM needs, the packages that tools/setup installs, and what CMake looks for. Which
package a file is of, Debian's dpkg says.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER_FOLDERS = ["/usr/include", "/usr/include/postgresql",
                  *map(str, Path("/usr/include").glob("*-linux-gnu"))]
# What every C++ program is made of.
SYSTEM = re.compile(r"^(libc6|libc6-dev|linux-libc-dev|libstdc\+\+.*|libgcc.*|lib[ault]san\d+|libubsan\d+)$")
# Found by CMake's own modules: no target of that name has to be linked.
TOOLS = {"PkgConfig", "Threads"}
TEST_ONLY = {"libgtest-dev", "libgmock-dev", "libbenchmark-dev"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin:/usr/sbin", "LC_ALL": "C"}).stdout


def packages_of(paths):
    """The packages that PATHS belong to. On Debian /lib is /usr/lib, and dpkg knows either name."""
    names = {name for path in paths for name in (str(path), re.sub("^/usr/lib/", "/lib/", str(path)))}
    done = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False)
    return {line.split(":")[0] for line in done.stdout.splitlines()}


def table(title):
    """The Debian packages in the table below the headline TITLE."""
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return {package for row in rows for names in re.findall("`([^`]+)`", row[2])
            for package in names.split()}


def is_test(path):
    return path.stem.endswith(("_test", "_bench")) or "testing" in path.parts


def included_headers():
    names = set()
    for path in (ROOT / "src").rglob("*"):
        if path.suffix in (".h", ".cc") and not is_test(path):
            names |= set(re.findall(r"^#include <([^>]+)>", path.read_text(encoding="utf-8"), re.M))
    found = (Path(folder) / name for name in names if "." in name for folder in HEADER_FOLDERS)
    return [path for path in found if path.exists()]


def needed_libraries(program):
    """Those that the program names itself."""
    names = re.findall(r"NEEDED.*\[(.+)\]", output("readelf", "-d", program))
    places = dict(re.findall(r"^\s*(\S+) => (\S+)", output("ldd", program), re.M))
    return [Path(places[name]).resolve() for name in names if name in places]


def brought_by(packages):
    """What the packages depend on directly."""
    lines = output("dpkg-query", "-W", "-f=${Depends}\n", *packages)
    return {re.split(r"[ :(]", entry.strip())[0] for line in lines.splitlines()
            for entry in re.split(r"[,|]", line)}


def set_up():
    text = (ROOT / "tools" / "setup").read_text(encoding="utf-8")
    return {name for array in re.findall(r"_packages=\(([^)]*)\)", text) for name in array.split()}


def looked_for_in_vain():
    """What CMake finds and nothing uses."""
    files = [ROOT / "CMakeLists.txt", *(ROOT / "cmake").glob("*.cmake"),
             *(path for folder in ("src", "tests") for path in (ROOT / folder).rglob("CMakeLists.txt"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    packages = set(re.findall(r"find_package\(([\w-]+)", text)) - TOOLS
    vain = {name for name in packages if f"{name}::" not in text
            and not re.search(rf"\$\{{{name.upper()}_", text)}
    modules = re.findall(r"pkg_check_modules\((\w+)", text)
    return vain | {name for name in modules if f"PkgConfig::{name}" not in text}


def main():
    linked = table("Linked into the daemon")
    others = table("For building and testing only")
    included = {name for name in packages_of(included_headers()) if not SYSTEM.match(name)}
    needed = {name for name in packages_of(needed_libraries(sys.argv[1])) if not SYSTEM.match(name)}
    faults = {
        "listed, but no header of theirs is included": linked - included,
        "headers included, but not listed": included - linked,
        "needed by the program, but of no listed package": needed - brought_by(linked) - linked,
        "listed, but not installed by tools/setup": linked - set_up(),
        "installed by tools/setup, but not listed": set_up() - linked - others,
        "looked for by CMake, but not used": looked_for_in_vain(),
        "listed as linked, but for tests": linked & TEST_ONLY,
    }
    found = {what: names for what, names in faults.items() if names}
    for what, names in found.items():
        print(f"docs/dependencies.md: {what}: {', '.join(sorted(names))}")
    if not included or not needed:
        print("nothing was compared")
    sys.exit(1 if found or not included or not needed else 0)


main()
