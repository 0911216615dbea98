"""What `re_dms --help` says, and that of each command, as values."""

import re
import subprocess
from dataclasses import dataclass, field

# "  -c,--config FILE        Configuration file, …": names, value, what it is for.
ENTRY = re.compile(r"^  (?P<names>-\S+|\S+)(?: (?P<value>\S.*?))?(?:\s{2,}(?P<text>\S.*))?$")


@dataclass
class Entry:
    """An option, an argument or a command of a list."""

    names: list
    value: str
    text: str


@dataclass
class Command:
    """What a help text says; `words` are those that lead to it: ["journal", "inspect"]."""

    words: list
    about: str
    usage: str
    options: list
    arguments: list
    footer: str
    commands: list = field(default_factory=list)

    def all(self):
        """This one and all below it."""
        yield self
        for command in self.commands:
            yield from command.all()


def entries(lines):
    found = []
    for line in lines:
        if line.startswith(" " * 20) and found:
            # What did not fit beside a long name, or in one line.
            found[-1].text = f"{found[-1].text} {line.strip()}".strip()
            continue
        entry = ENTRY.match(line)
        if entry is None:
            raise ValueError(f"not understood in a help text: {line!r}")
        found.append(Entry(entry["names"].split(","), entry["value"] or "", entry["text"] or ""))
    return found


def parse(words, text):
    """(Command without those below it, the entries of its list of commands)."""
    sections, name = {"": []}, ""
    for line in text.splitlines():
        title = re.match(r"^(Options|Positionals|Commands|Usage):(.*)$", line)
        if title:
            name = title[1]
            sections[name] = [title[2].strip()] if title[2] else []
        elif line == "" and name in ("Options", "Positionals", "Commands") and sections[name]:
            name = "Footer" if name == "Commands" else ""
            sections.setdefault(name, [])
        elif line or name == "Footer":
            sections[name].append(line)
    about = " ".join(sections[""])
    command = Command(words, about, " ".join(sections.get("Usage", [])), entries(sections.get("Options", [])),
                      entries(sections.get("Positionals", [])), "\n".join(sections.get("Footer", [])).strip())
    return command, entries(sections.get("Commands", []))


def read(program, words=()):
    """Asks PROGRAM for its help, and for that of all its commands."""
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    command, below = parse(list(words), done.stdout)
    command.commands = [read(program, [*words, entry.names[0]]) for entry in below]
    return command


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
