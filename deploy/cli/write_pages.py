#!/usr/bin/python3
"""Writes the manual page and the shell completions of re_dms, made of what its own --help says.

    write_pages.py PROGRAM FOLDER     re_dms.1 re_dms.bash _re_dms re_dms.fish
"""

import datetime
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import completions  # noqa: E402  (beside this file)
import help_text  # noqa: E402
import manual  # noqa: E402


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    root = help_text.read(program)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", Path(program).stat().st_mtime))
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")
    pages = {"re_dms.1": manual.manual(root, help_text.version(program), date), "re_dms.bash": completions.bash(root),
             "_re_dms": completions.zsh(root), "re_dms.fish": completions.fish(root)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


main()
