"""Shell completions from the help texts (help_text.py)."""

FILES, FOLDERS = ("FILE",), ("DIR",)


def key(command):
    return " ".join(command.words)


def offered(command, root):
    """The words that may follow: commands and options. Options of the program may stand behind a command too."""
    options = [*command.options, *(root.options if command is not root else [])]
    names = [name for option in options for name in option.names]
    return [below.words[-1] for below in command.commands] + list(dict.fromkeys(names))


def options_of(root):
    """Each option that takes a value, once: (names, value)."""
    found = {tuple(option.names): option.value
             for command in root.all() for option in command.options if option.value}
    return sorted(found.items())


BASH = """# Completion for re_dms, made of its help texts.
_re_dms() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command='' next known i
  COMPREPLY=()
  case $before in
{values}  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=${{command:+$command }}${{COMP_WORDS[i]}}
    for known in {commands}; do
      [[ $next != "$known" ]] || command=$next
    done
  done
  case $command in
{cases}  esac
}}
complete -F _re_dms re_dms
"""


def bash(root):
    values = ""
    for names, value in options_of(root):
        action = "COMPREPLY=($(compgen -f -- \"$word\"))" if value in FILES else "COMPREPLY=()"
        if value in FOLDERS:
            action = "COMPREPLY=($(compgen -d -- \"$word\"))"
        if "|" in value:
            # "now|LSN": the words in it that are no name of a kind of value.
            words = " ".join(word for word in value.split("|") if word.islower())
            action = f"COMPREPLY=($(compgen -W '{words}' -- \"$word\"))"
        values += f"    {' | '.join(names)}) {action}; return ;;\n"
    cases = ""
    for command in root.all():
        more = " -d" if any(argument.names[0] in FOLDERS for argument in command.arguments) else ""
        cases += (f"    '{key(command)}')\n"
                  f"      COMPREPLY=($(compgen{more} -W '{' '.join(offered(command, root))}' -- \"$word\")) ;;\n")
    commands = " ".join(f"'{key(command)}'" for command in root.all() if command.words)
    return BASH.format(values=values, commands=commands, cases=cases)


def zsh_text(text):
    return text.replace("\\", "\\\\").replace("'", "'\\''").replace("[", "(").replace("]", ")").replace(":", "\\:")


def zsh_value(value):
    if value in FILES:
        return ":file:_files"
    if value in FOLDERS:
        return ":folder:_files -/"
    words = " ".join(word for word in value.split("|") if word.islower() and "|" in value)
    return f":{value}:({words})" if value else ""


def zsh_options(command, root):
    lines = []
    for option in [*command.options, *(root.options if command is not root else [])]:
        lines += [f"    '{name}[{zsh_text(option.text)}]{zsh_value(option.value)}'" for name in option.names]
    return list(dict.fromkeys(lines))


def zsh_function(command):
    return "_".join(["_re_dms", *command.words])


def zsh(root):
    text = "#compdef re_dms\n# Completion for re_dms, made of its help texts.\n"
    for command in root.all():
        lines = zsh_options(command, root)
        if command.commands:
            lines += ["    '1:command:->command'", "    '*::argument:->argument'"]
        elif command.arguments:
            folder = any(argument.names[0] in FOLDERS for argument in command.arguments)
            lines.append(f"    '*:{command.arguments[0].names[0].lower()}:{'_files -/' if folder else ' '}'")
        text += f"\n{zsh_function(command)}() {{\n  local state line\n  local -a commands\n"
        text += "  _arguments -C \\\n" + " \\\n".join(lines) + "\n"
        if command.commands:
            listed = "".join(f"        '{below.words[-1]}:{zsh_text(below.about)}'\n" for below in command.commands)
            cases = "".join(f"        {below.words[-1]}) {zsh_function(below)} ;;\n" for below in command.commands)
            text += (f"  case $state in\n    command)\n      commands=(\n{listed}      )\n"
                     "      _describe command commands ;;\n"
                     f"    argument)\n      case $line[1] in\n{cases}      esac ;;\n  esac\n")
        text += "}\n"
    return text + "\n_re_dms \"$@\"\n"


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_condition(command):
    """When it is the command that was given last."""
    if not command.words:
        return ""
    return " -n " + fish_text("; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words))


def fish(root):
    lines = ["# Completion for re_dms, made of its help texts.", "complete -c re_dms -f"]
    for command in root.all():
        names = [below.words[-1] for below in command.commands]
        for below in command.commands:
            seen = f"__fish_seen_subcommand_from {' '.join(names)}"
            condition = f"not {seen}"
            if command.words:
                condition = f"__fish_seen_subcommand_from {command.words[-1]}; and not {seen}"
            lines.append(f"complete -c re_dms -n {fish_text(condition)} -a {below.words[-1]} -d {fish_text(below.about)}")
        for option in command.options:
            flags = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            value = ""
            if option.value:
                words = " ".join(word for word in option.value.split("|") if word.islower() and "|" in option.value)
                value = " -r -F" if option.value in FILES + FOLDERS else f" -x -a {fish_text(words)}"
            lines.append(f"complete -c re_dms{fish_condition(command)} {flags}{value} -d {fish_text(option.text)}")
    return "\n".join(lines) + "\n"
