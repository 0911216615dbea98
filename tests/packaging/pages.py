#!/usr/bin/python3
"""Goal: manual page and completions know every command and option that the program's --help knows.

    pages.py PROGRAM FOLDER     FOLDER: what deploy/cli/write_pages.py wrote
"""

import re
import subprocess
import sys
from pathlib import Path


def said(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout


def names(text, section):
    """The first words below a headline, read without deploy/cli."""
    found, inside = [], False
    for line in text.splitlines():
        if re.match(r"^\S", line):
            inside = line == section + ":"
        elif inside and re.match(r"^  \S", line):
            found += line.split()[0].split(",")
    return found


def commands(program):
    """[(words, options)] of all that --help names, at any depth."""
    found, ahead = [], [[]]
    while ahead:
        words = ahead.pop()
        text = said(program, *words)
        found.append((words, names(text, "Options")))
        ahead += [[*words, name] for name in names(text, "Commands")]
    return found


def completed(folder, *words):
    """What bash offers for the last of WORDS."""
    script = (f"source {folder}/re_dms.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1));"
              " _re_dms; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script, "bash", "re_dms", *words],
                          capture_output=True, text=True, check=False)
    return set(done.stdout.split()) if done.returncode == 0 else {done.stderr}


def faults(program, folder):
    man = (folder / "re_dms.1").read_text(encoding="utf-8").replace("\\-", "-")
    zsh = (folder / "_re_dms").read_text(encoding="utf-8")
    fish = (folder / "re_dms.fish").read_text(encoding="utf-8")
    known = commands(program)
    if len(known) < 10:
        yield f"only {len(known)} commands were found"
    for words, options in known:
        line = " ".join(words)
        if words and not re.search(rf"^\.SS {line}$", man, re.M) and line not in ("journal",):
            yield f"the manual has no \"{line}\""
        if words and f" -a {words[-1]} " not in fish:
            yield f"fish does not complete \"{line}\""
        if words and words[-1] not in completed(folder, *words[:-1], words[-1][:2]):
            yield f"bash does not complete \"{line}\": {completed(folder, *words[:-1], words[-1][:2])}"
        missing = set(options) - completed(folder, *words, "-")
        if missing:
            yield f"bash does not complete {missing} of \"{line}\""
        function = zsh.partition("\n" + "_".join(["_re_dms", *words]) + "() {")[2].partition("\n}\n")[0]
        for option in options:
            if f"'{option}[" not in function:
                yield f"zsh does not complete {option} of \"{line}\""
            if f"\\fB{option}\\fR" not in man:
                yield f"the manual has no {option} of \"{line}\""
            flag = f"-l {option[2:]} " if option.startswith("--") else f"-s {option[1:]} "
            if flag not in fish:
                yield f"fish does not complete {option} of \"{line}\""
    if "now" not in completed(folder, "run", "--until", ""):
        yield "bash does not offer a value"


def main():
    found = list(faults(sys.argv[1], Path(sys.argv[2])))
    print("\n".join(found) or "manual page and completions are complete")
    sys.exit(1 if found else 0)


main()
