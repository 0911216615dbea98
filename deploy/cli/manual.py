"""The manual page from the help texts (help_text.py)."""

import re

FILES = [
    ("/etc/re_dms/re_dms.toml", "The configuration, unless --config names another."),
    ("/etc/credstore/re_dms.NAME", "What ${credential:NAME} in it stands for. Readable by root alone; systemd gives "
                                   "it to the service."),
    ("/var/lib/re_dms", "The journal, and whatever the configuration places there."),
    ("/run/re_dms/control.sock", "Where pause, resume and resync ask the running service."),
]


def roff(text):
    """Text as it is, in roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("'", "\\(aq")
    return re.sub(r"^\.", r"\\&.", text, flags=re.M)


def option_lines(options):
    text = ""
    for option in options:
        names = ", ".join(f"\\fB{roff(name)}\\fR" for name in option.names)
        value = f" \\fI{roff(option.value)}\\fR" if option.value else ""
        text += f".TP\n{names}{value}\n{roff(option.text)}\n"
    return text


def command_lines(command):
    text = f".SS {roff(' '.join(command.words))}\n{roff(command.about)}.\n.PP\n\\fB{roff(command.usage)}\\fR\n"
    # What every command has is said once, at the top.
    options = [option for option in command.options if "--help" not in option.names]
    return text + option_lines([*command.arguments, *options])


def manual(root, version, date):
    codes = re.search(r"Exit codes: (.*?)\.\n", root.footer + "\n")
    if codes is None:
        raise ValueError("the help text names no exit codes")
    text = (f'.TH RE_DMS 1 "{date}" "re_dms {version}" "User Commands"\n'
            f".SH NAME\nre_dms \\- stream a PostgreSQL database into a warehouse\n"
            f".SH SYNOPSIS\n\\fB{roff(root.usage)}\\fR\n"
            f".SH DESCRIPTION\n{roff(root.about)}\n"
            f".SH OPTIONS\n{option_lines(root.options)}"
            ".SH COMMANDS\n")
    text += "".join(command_lines(command) for command in root.all() if command.words and not command.commands)
    text += ".SH EXIT STATUS\n"
    for entry in codes[1].split(", "):
        code, _, meaning = entry.partition(" ")
        text += f".TP\n.B {code}\n{roff(meaning)}\n"
    text += ".SH FILES\n" + "".join(f".TP\n.I {roff(path)}\n{roff(what)}\n" for path, what in FILES)
    return text + (".SH SEE ALSO\n.BR systemctl (1),\nand what is installed in /usr/share/doc/re\\-dms: "
                   "configuration, operations, types, Redshift.\n")
