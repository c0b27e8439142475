"""What a shell is to read to complete the command: made of its parsers, for bash, zsh and fish."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import NamedTuple

from . import COMMANDS

SHELLS = ("bash", "fish", "zsh")
#: What a value is called that is a file's path.
_FILES = ("FILE", "PATH")


class Option(NamedTuple):
    """An option, as shells want to know it."""

    names: tuple[str, ...]
    about: str
    value: str  #: what its value is called; empty without one
    choices: tuple[str, ...]
    is_repeated: bool

    @property
    def is_file(self) -> bool:
        """Whether its value is a file's path."""
        return self.value in _FILES


class Command(NamedTuple):
    """A command: of which the first one has no name."""

    name: str
    about: str
    options: tuple[Option, ...]
    takes_file: bool  #: beside its options


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What that shell is to read: ``eval "$(lomond --completion bash)"``.

    Arguments:
        parser: Of the command without a name. The others' are asked for here.
        shell: Its name. Ends the process with 2 where it is none that is known.
    """
    if shell not in SHELLS:
        parser.error(f"no completion is known for {shell!r}; name one of {', '.join(SHELLS)}")
    commands = [_command("", parser), *_others()]
    return {"bash": _bash, "fish": _fish, "zsh": _zsh}[shell](commands)


def _others() -> Iterator[Command]:
    for name, home in COMMANDS.items():
        module = import_module(f".{home}", __package__)
        about = _about(module.__doc__)
        yield _command(name, module.parser(), about)


def _about(words: str | None) -> str:
    """What a module's first line says of its command."""
    line = (words or "").strip().partition("\n")[0]
    return line.partition(": ")[2].rstrip(".")


def _command(name: str, parser: argparse.ArgumentParser, about: str = "") -> Command:
    actions = parser._actions  # argparse shows them in no other way
    places = [action for action in actions if not action.option_strings]
    options = tuple(_option(action) for action in actions if action.option_strings)
    return Command(name, about, options, any(place.metavar in _FILES for place in places))


def _option(action: argparse.Action) -> Option:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    value = "" if action.nargs == 0 else metavar
    choices = tuple(map(str, action.choices or ()))
    if value == "SHELL":
        choices = SHELLS
    kind = type(action).__name__
    is_repeated = kind in ("_AppendAction", "_CountAction")
    return Option(tuple(action.option_strings), action.help or "", value, choices, is_repeated)


# bash, also the one of macOS, which is of 2007: no mapfile, no compopt.

_BASH = r"""# lomond's completion for bash: eval "$(lomond --completion bash)"
_lomond() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command= options= files= IFS=$' \t\n'
    COMPREPLY=()
    if [[ $current == '=' ]]; then
        current=
    elif [[ $before == '=' && COMP_CWORD -ge 2 ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    if [[ COMP_CWORD -gt 1 ]]; then
        case ${COMP_WORDS[1]} in
            @NAMES@) command=${COMP_WORDS[1]} ;;
        esac
    fi
    case "$command $before" in
@VALUES@
    esac
    if [[ -z $files ]]; then
        case $command in
@OPTIONS@
        esac
        if [[ $current == -* ]]; then
            COMPREPLY=($(compgen -W "$options" -- "$current"))
            return
        elif [[ COMP_CWORD -eq 1 ]]; then
            COMPREPLY=($(compgen -W '@WORDS@' -- "$current"))
            return
        fi
    fi
    if [[ -n $files ]]; then
        IFS=$'\n'
        COMPREPLY=($(compgen -f -- "$current"))
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _lomond lomond
"""


def _bash(commands: list[Command]) -> str:
    names = [command.name for command in commands if command.name]
    values: list[str] = []
    for command in commands:
        for kind, found in _by_value(command.options):
            case = "|".join(f'"{command.name} {name}"' for name in found)
            values.append(f"        {case}) {_BASH_VALUES.get(kind) or _bash_words(kind)} ;;")
    options = [
        f"            {command.name or _QUOTES}) options='{_flags(command)}'"
        f"{' files=1' if command.takes_file else ''} ;;"
        for command in commands
    ]
    # A file beside the options is not asked for where an option's name is begun.
    made = _BASH.replace("@NAMES@", "|".join(names)).replace("@VALUES@", "\n".join(values))
    return made.replace("@OPTIONS@", "\n".join(options)).replace("@WORDS@", " ".join(names))


_QUOTES = "''"
_BASH_VALUES = {"files": "files=1", "any": "return"}


def _bash_words(words: str) -> str:
    return f"COMPREPLY=($(compgen -W '{words}' -- \"$current\")); return"


def _by_value(options: Iterable[Option]) -> Iterator[tuple[str, list[str]]]:
    """The names of the options that have values, by what those are: files, anything, or words."""
    found: dict[str, list[str]] = {}
    for option in options:
        if option.value:
            kind = " ".join(option.choices) or ("files" if option.is_file else "any")
            found.setdefault(kind, []).extend(option.names)
    yield from found.items()


def _flags(command: Command) -> str:
    return " ".join(name for option in command.options for name in option.names)


# zsh

_ZSH = r"""#compdef lomond
# lomond's completion for zsh: eval "$(lomond --completion zsh)", behind compinit
_lomond() {
    local command
    local -a commands
    commands=(
@COMMANDS@
    )
    if (( CURRENT > 2 )) && [[ -n ${commands[(r)${words[2]}:*]} ]]; then
        command=${words[2]}
        shift words
        (( CURRENT-- ))
    fi
    case $command in
@CASES@
    esac
}
if [[ $funcstack[1] == _lomond ]]; then
    _lomond "$@"
else
    compdef _lomond lomond
fi
"""


def _zsh(commands: list[Command]) -> str:
    named = [f"        {_quoted(f'{one.name}:{one.about}')}" for one in commands if one.name]
    cases: list[str] = []
    for command in commands:
        specs = [_zsh_option(option) for option in command.options]
        # Without a word on what is no option, zsh knows none behind it.
        specs += ["*:file:_files"] if command.takes_file else ["*:URL: "]
        specs += [] if command.name else ["1: :{_describe command commands}"]
        lines = " \\\n".join(f"                {_quoted(spec)}" for spec in specs)
        cases.append(
            f"        {command.name or _QUOTES})\n            _arguments -s \\\n{lines} ;;"
        )
    return _ZSH.replace("@COMMANDS@", "\n".join(named)).replace("@CASES@", "\n".join(cases))


def _zsh_option(option: Option) -> str:
    about = option.about.replace("\\", "\\\\")
    for mark in "[]:":
        about = about.replace(mark, f"\\{mark}")
    value = ""
    if option.value:
        what = "_files" if option.is_file else f"({' '.join(option.choices)})"
        value = f":{option.value.strip(chr(39)).replace(':', ' ')}:{what if what != '()' else ''}"
    # An alias is another spec of the same words; one excludes the other.
    others = "" if option.is_repeated else f"({' '.join(option.names)})"
    star = "*" if option.is_repeated else ""
    return "\n".join(f"{others}{star}{name}[{about}]{value}" for name in option.names)


def _quoted(words: str) -> str:
    """A word, or one on each line, as shells read it."""
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words.split("\n"))


# fish

_FISH_FIRST = "not __fish_seen_subcommand_from {}"
_FISH_ONE = "__fish_seen_subcommand_from {}"


def _fish(commands: list[Command]) -> str:
    names = " ".join(command.name for command in commands if command.name)
    lines = ["# lomond's completion for fish: lomond --completion fish | source"]
    lines.append("complete -c lomond -f")
    for command in commands:
        when = _FISH_ONE.format(command.name) if command.name else _FISH_FIRST.format(names)
        if command.name:
            first = _fish_quoted(f"{_FISH_FIRST.format(names)}; and __fish_is_nth_token 1")
            about = _fish_quoted(command.about)
            lines.append(f"complete -c lomond -n {first} -a {command.name} -d {about}")
        if command.takes_file:
            lines.append(f"complete -c lomond -n {_fish_quoted(when)} -F")
        for option in command.options:
            lines.append(f"complete -c lomond -n {_fish_quoted(when)} {_fish_option(option)}")
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    parts = [
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    ]
    parts.append(f"-d {_fish_quoted(option.about)}")
    if option.choices:
        parts.append(f"-x -a {_fish_quoted(' '.join(option.choices))}")
    elif option.value:
        parts.append("-r -F" if option.is_file else "-x")
    return " ".join(parts)


def _fish_quoted(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
