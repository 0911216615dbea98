#!/usr/bin/python3
"""Checks rules of the code base that neither compiler nor clang-tidy knows.

    tidy.py [ROOT]       checks the checkout; prints PATH:LINE: [RULE] TEXT and exits 1 on a finding
    tidy.py --self-test  proves on samples.py that each rule fires and that good code passes

The rules, by the names used in exceptions.txt:
    include     a folder of src/ includes, or its CMake USES names, one that is not below it
    file        a source file is longer than 500 lines (more than 300 is a warning)
    function    a function is longer than 70 lines
    name        a type's name ends in a word that says nothing
    readme      README.md does not name exactly the folders of src/, each as `src/NAME`
    comment     commented-out code, or a task without the number of its issue
    path        a path of one machine, one out of the checkout, or a package registry's address
    exception   a line of exceptions.txt without a reason, or one that excuses nothing
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
import cpp  # noqa: E402  (beside this file)

FILE_LINES_MAX = 500
FILE_LINES_WARN = 300
FUNCTION_LINES_MAX = 70

# A folder may include those of the rows below its own; stages do not know each other.
LEVELS = [
    {"app", "demo"},
    {"pipeline", "control"},
    {"source", "journal", "batch", "stage", "warehouse"},
    {"pgoutput", "tables"},
    {"schema", "telemetry"},
    {"model", "aws"},
    {"observe"},
    {"base"},
]
LEVEL_OF = {folder: level for level, row in enumerate(LEVELS) for folder in row}
# Inside a folder, a room may include those after its own; the folder's own files stand above them
# all, except for plain settings, which every room may know.
ROOMS = {"source": ["stream", "copy", "setup", "catalog", "connection"]}
ROOT_HEADERS = {"source": {"settings.h"}}
# Who may include what stands below a folder testing/.
FOR_TESTS = re.compile(r"(^|/)testing/|_(test|bench)\.cc$|^tests/")
# One folder per engine: only warehouse itself looks into it, and no engine into another.
ENGINES = {"duckdb", "redshift"}

SAYS_NOTHING = re.compile(r"(Manager|Helper|Util|Handler|Processor|Info|Data|Impl|Base)s?$")

CODE_SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake"}
SKIPPED_FOLDERS = {".git", "__pycache__"}
# What is made at the top of a checkout.
MADE_FOLDERS = {".deps", "build", "demo"}
# The samples break the rules on purpose.
SAMPLES = "tests/tidy/samples.py"

COMMENTED_OUT = re.compile(
    r"^\s*(#if 0\b"
    r"|//\s*[\w:.\[\]]+(->[\w:.\[\]]+)*\([^\"]*\);\s*$"
    r"|//\s*(#include\s*[<\"]|(return|auto|const|std::\S+|if|for|while)\b.*[;{]\s*$))"
)
TASK = re.compile(r"\b(FIXME|XXX|HACK|TODO(?!\(#\d+\)))\b")
MACHINE_PATH = re.compile(r"(?<![\w./~$}-])/(home|root|Users|mnt|work(space|dir)?)(?![\w-])")
CLIMBING_PATH = re.compile(r"(?<![\w./$}\"])(\.\./)+[\w.-]+")
REGISTRY = re.compile(r"https?://registry\.|\"resolved\"\s*:")

Finding = namedtuple("Finding", "rule path line symbol text")


class Checkout:
    """The files of one tree: those git knows or would add, or all outside the build's folders."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(path for path in self._list() if (root / path).is_file())
        self._texts = {}

    def _list(self):
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        if (self.root / ".git").exists():
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=False)
            if listed.returncode == 0:
                return {os.fsdecode(path) for path in listed.stdout.split(b"\0") if path}
        found = set()
        for folder, subfolders, names in os.walk(self.root):
            skipped = SKIPPED_FOLDERS | (MADE_FOLDERS if folder == str(self.root) else set())
            subfolders[:] = [name for name in subfolders if name not in skipped]
            found |= {os.path.relpath(os.path.join(folder, name), self.root) for name in names}
        return found

    def text(self, path):
        """The text of a file, or None if it is not text."""
        if path not in self._texts:
            data = (self.root / path).read_bytes()
            self._texts[path] = None if b"\0" in data else data.decode("utf-8", "replace")
        return self._texts[path]

    def texts(self):
        for path in self.paths:
            text = self.text(path)
            if text is not None and path != SAMPLES:
                yield path, text

    def code(self):
        for path, text in self.texts():
            if Path(path).suffix in CODE_SUFFIXES or re.match(r"#!\S*(/| )(ba|da)?sh\b", text):
                yield path, text

    def cpp(self):
        return ((path, text) for path, text in self.code() if path.endswith((".cc", ".h")))


def may_include(user, path):
    """Whether a file in src/USER (parts of its folder) may include PATH (parts)."""
    if path[0] not in LEVEL_OF:
        return False
    engine = path[1] if path[0] == "warehouse" and len(path) > 2 and path[1] in ENGINES else None
    if user[0] == path[0]:
        if not room_may_include(user, path):
            return False
        own = user[1] if len(user) > 1 and user[1] in ENGINES else None
        return engine is None or own is None or own == engine
    return LEVEL_OF[user[0]] < LEVEL_OF[path[0]] and engine is None


def room_may_include(user, path):
    """Whether a file in a room of a folder may include PATH of the same folder."""
    rooms = ROOMS.get(user[0], [])
    if len(user) < 2 or user[1] not in rooms:
        return True
    if path[1] == "testing":
        return True
    if len(path) == 2:
        return path[1] in ROOT_HEADERS[user[0]]
    return path[1] in rooms and rooms.index(user[1]) <= rooms.index(path[1])


def check_includes(checkout):
    for path, text in checkout.cpp():
        parts = Path(path).parts
        if parts[0] != "src" or len(parts) < 3:
            continue
        if parts[1] not in LEVEL_OF:
            yield Finding("include", path, 1, "", f"src/{parts[1]} is not in tidy.py's LEVELS")
            continue
        for line, included in cpp.includes(text):
            target = Path(included).parts
            beside = (checkout.root / path).parent / included
            if "testing" in target[:-1] and not FOR_TESTS.search(path):
                yield Finding("include", path, line, included, f"{included} is for tests alone")
            elif target[0] in LEVEL_OF:
                if not may_include(parts[1:-1], target):
                    yield Finding("include", path, line, included, f"may not include {included}")
            elif target[0] == ".." or beside.is_file():
                yield Finding("include", path, line, included, f"write {included} from src/ on")


def check_uses(checkout):
    for path, text in checkout.texts():
        parts = Path(path).parts
        if len(parts) != 3 or parts[0] != "src" or parts[2] != "CMakeLists.txt":
            continue
        code = re.sub(r"#.*", "", text)
        for uses in re.finditer(r"\bUSES\b((?:\s+[a-z_]+\b(?!\s*\())*)", code):
            line = code.count("\n", 0, uses.start()) + 1
            for used in uses.group(1).split():
                if used not in LEVEL_OF or not may_include(parts[1:2], (used, "")):
                    yield Finding("include", path, line, used, f"{parts[1]} may not use {used}")


def check_file_sizes(checkout):
    for path, text in checkout.code():
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            text = f"{lines} lines, at most {FILE_LINES_MAX}: split it"
            yield Finding("file", path, 1, "", text)
        elif lines > FILE_LINES_WARN:
            print(f"{path}: warning: {lines} lines; {FILE_LINES_MAX} is the limit")


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield cpp.Function(node.name, node.lineno, node.end_lineno)


def check_functions(checkout):
    for path, text in checkout.code():
        functions = []
        if path.endswith(".py"):
            functions = python_functions(text)
        elif path.endswith((".cc", ".h")):
            functions = cpp.functions(text)
            if functions is None:
                yield Finding("function", path, 1, "", "its braces do not match")
                continue
        for name, first, last in functions:
            if last - first + 1 > FUNCTION_LINES_MAX:
                lines = f"{last - first + 1} lines, at most {FUNCTION_LINES_MAX}"
                yield Finding("function", path, first, name, f"{name} has {lines}")


def check_names(checkout):
    for path, text in checkout.cpp():
        for name, line in cpp.types(text):
            word = SAYS_NOTHING.search(name)
            if word:
                text = f"{name}: '{word.group(1)}' says nothing; name what it is or does"
                yield Finding("name", path, line, name, text)


def check_readme(checkout):
    folders = {Path(path).parts[1] for path in checkout.paths if re.match(r"src/[^/]+/", path)}
    if not folders and "README.md" not in checkout.paths:
        return
    readme = checkout.text("README.md") if "README.md" in checkout.paths else ""
    named = set(re.findall(r"`src/([a-z0-9_]+)", readme))
    for folder in sorted(folders - named):
        yield Finding("readme", "README.md", 1, folder, f"does not name `src/{folder}`")
    for folder in sorted(named - folders):
        yield Finding("readme", "README.md", 1, folder, f"names `src/{folder}`, which is not there")


def check_comments(checkout):
    for path, text in checkout.code():
        if path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.endswith((".cc", ".h")) and COMMENTED_OUT.match(line):
                yield Finding("comment", path, number, "", "commented-out code")
            task = TASK.search(line)
            if task:
                text = f"{task.group(1)} without an issue: write TODO(#NUMBER)"
                yield Finding("comment", path, number, "", text)


def outside(root, path, line):
    """A `../…` in LINE that is not there, neither from the file's folder nor from the root."""
    for found in CLIMBING_PATH.finditer(line):
        places = ((root / path).parent, root)
        if not any((place / found.group(0)).exists() for place in places):
            return found
    return None


def check_paths(checkout):
    for path, text in checkout.texts():
        if path == "tests/tidy/tidy.py" or path.startswith("tests/golden/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found = MACHINE_PATH.search(line) or REGISTRY.search(line)
            found = found or outside(checkout.root, path, line)
            if found:
                text = f"'{found.group(0)}' exists on some machines only"
                yield Finding("path", path, number, "", text)


CHECKS = [
    check_includes,
    check_uses,
    check_file_sizes,
    check_functions,
    check_names,
    check_readme,
    check_comments,
    check_paths,
]

EXCEPTIONS = "tests/tidy/exceptions.txt"


def read_exceptions(checkout):
    """Yields (line, rule, path, symbol, reason): `RULE PATH[:SYMBOL] REASON` per line."""
    text = checkout.text(EXCEPTIONS) if EXCEPTIONS in checkout.paths else ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            rule, where, reason = (line.split(None, 2) + ["", ""])[:3]
            path, _, symbol = where.partition(":")
            yield number, rule, path, symbol, reason


def check(root):
    """All findings in the tree at ROOT that no exception excuses."""
    checkout = Checkout(root)
    findings = [finding for run in CHECKS for finding in run(checkout)]
    for number, rule, path, symbol, reason in read_exceptions(checkout):
        excused = [
            finding
            for finding in findings
            if (finding.rule, finding.path) == (rule, path) and symbol in ("", finding.symbol)
        ]
        findings = [finding for finding in findings if finding not in excused]
        if not excused:
            findings.append(Finding("exception", EXCEPTIONS, number, "", "excuses nothing"))
        if not reason.strip():
            findings.append(Finding("exception", EXCEPTIONS, number, "", "gives no reason"))
    return findings


def write_tree(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def self_test():
    import samples

    failures = 0
    cases = [("good tree", None, {})] + samples.BAD + samples.GOOD
    for title, rule, files in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_tree(root, {**samples.TREE, **files})
            findings = check(root)
        fired = {finding.rule for finding in findings}
        right = fired == ({rule} if rule else set())
        failures += not right
        print(f"{'ok  ' if right else 'FAIL'} {rule or 'nothing'} fires: {title}")
        if not right:
            print(f"     found: {findings}")
    untested = {line.split()[0] for line in __doc__.splitlines() if re.match(r"    [a-z]+  ", line)}
    untested -= {rule for _, rule, _ in samples.BAD}
    if untested:
        print(f"FAIL no sample for: {untested}")
    print(f"{len(cases) - failures} of {len(cases)} samples as expected")
    return 1 if failures or untested else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = Path(arguments[0]) if arguments else HERE.parents[1]
    findings = check(root.resolve())
    for finding in findings:
        print(f"{finding.path}:{finding.line}: [{finding.rule}] {finding.text}")
    print(f"tidy: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
