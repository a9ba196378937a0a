"""Completion in bash, zsh and fish: commands, the flags of each, and the values of flags that have a choice."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import os
from collections.abc import Container, Mapping
from pathlib import Path

from zerosum import __version__
from zerosum.cli.unknown_flags import LIST_FLAGS
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

Flags = dict[str, tuple[str, ...]]
"""Each flag of a command and the values that it has to choose from; under "" those of the word without a flag."""

PLACES = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/zerosum"),
    "zsh": ("ZDOTDIR", "", ".zfunc/_zerosum"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/zerosum.fish"),
}
"""Of each shell, the variable that names the folder, its default under the home folder, and the file in it."""

REMARKS = {
    "bash": "New shells complete if the package bash-completion is installed; else add to ~/.bashrc: source {}",
    "zsh": "Add to ~/.zshrc, and open a new shell: fpath=({0.parent} $fpath); autoload -Uz compinit; compinit",
    "fish": "New shells complete.",
}


def flags_of(command: str, *words: str) -> Flags:
    """Return the flags of a command, as the words after it have them."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        importlib.import_module(f"zerosum.cli.{command}").run([*words, LIST_FLAGS])
    lines = (line.split(" ") for line in printed.getvalue().splitlines())
    return {name: tuple(values) for name, *values in lines}


@functools.cache
def flags_by_command(commands: tuple[str, ...]) -> tuple[dict[str, Flags], dict[str, Flags]]:
    """Return the flags of each command, and those that each recipe, or none, adds to `train` and `tune`."""
    from zerosum import recipes

    found = {command: flags_of(command) for command in commands}
    names = tuple(recipes.names())
    of_recipes = {name: flags_of("train", "--recipe", name) for name in names}
    common = set.intersection(*map(set, of_recipes.values()))
    extra = set().union(*of_recipes.values()) - common
    for flags in found.values():
        if "--recipe" in flags:
            flags["--recipe"] = names
    found["recipes"][""] = names
    own = {name: _only(flags, extra) for name, flags in of_recipes.items()} | {"": _only(found["train"], extra)}
    for command in ("train", "tune"):
        found[command] = _only(found[command], found[command].keys() - extra)
    return found, own


def _only(flags: Flags, names: Container[str]) -> Flags:
    return {name: values for name, values in flags.items() if name in names}


def script(shell: str, commands: Mapping[str, str]) -> str:
    """Return the completion script for a shell.

    Args:
        shell: bash, zsh or fish.
        commands: what each command does, by name.

    Raises:
        InputError: it is another shell.
    """
    if shell not in PLACES:
        raise InputError(f"Completion is for bash, zsh and fish, not for {shell!r}: type --install-completion bash.")
    found, own = flags_by_command(tuple(commands))
    make = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return make(commands, found, own)


def install(shell: str, commands: Mapping[str, str]) -> tuple[Path, str]:
    """Write the script where the shell looks for it; return its path, and what is left to do.

    Raises:
        InputError: the shell is none of bash, zsh and fish.
        StorageError: the file could not be written.
    """
    text = script(shell, commands)
    variable, usual, file = PLACES[shell]
    path = Path(os.environ.get(variable) or Path.home() / usual) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path, REMARKS[shell].format(path)


def _cases(found: Mapping[str, Flags], own: Mapping[str, Flags]) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of three `case` statements: values of flags, flags of commands and flags of recipes."""
    values = {f"{command}:{name}": v for command, flags in found.items() for name, v in flags.items() if v and name}
    values |= {f"*:{name}": v for flags in own.values() for name, v in flags.items() if v}
    return (
        [f"      {key}) offers='{' '.join(v)}' ;;" for key, v in values.items()],
        [f"      {command}) offers='{' '.join(filter(None, flags))}' ;;" for command, flags in found.items()],
        [f"      {name or '*'}) offers+=' {' '.join(flags)}' ;;" for name, flags in _last(own).items()],
    )


def _last(own: Mapping[str, Flags]) -> dict[str, Flags]:
    return {name: own[name] for name in sorted(own, key=lambda name: name == "")}


def _places(found: Mapping[str, Flags]) -> list[str]:
    return [f"      {command}) offers='{' '.join(flags[''])}' ;;" for command, flags in found.items() if flags.get("")]


def _bash(commands: Mapping[str, str], found: Mapping[str, Flags], own: Mapping[str, Flags]) -> str:
    values, flags, of_recipes = _cases(found, own)
    return "\n".join(
        (
            f"# zerosum {__version__}",
            "_zerosum() {",
            "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}",
            "  local recipe='' offers='' i",
            "  for ((i = 2; i < COMP_CWORD; i++)); do",
            "    [[ ${COMP_WORDS[i]} == --recipe ]] && recipe=${COMP_WORDS[i+1]}",
            "  done",
            *_choose(commands, values, flags, of_recipes, _places(found), "(( COMP_CWORD == 1 ))"),
            '  COMPREPLY=($(compgen -W "$offers" -- "$current"))',
            "}",
            "complete -o default -F _zerosum zerosum",
            "",
        )
    )


def _zsh(commands: Mapping[str, str], found: Mapping[str, Flags], own: Mapping[str, Flags]) -> str:
    values, flags, of_recipes = _cases(found, own)
    return "\n".join(
        (
            "#compdef zerosum",
            f"# zerosum {__version__}",
            "_zerosum() {",
            "  local -a typed=($words)",
            "  local current=${typed[CURRENT]} before=${typed[CURRENT-1]} command=${typed[2]}",
            "  local recipe=${typed[${typed[(i)--recipe]}+1]} offers=''",
            *_choose(commands, values, flags, of_recipes, _places(found), "(( CURRENT == 2 ))"),
            "  if [[ -n $offers ]]; then compadd -- ${=offers}; else _files; fi",
            "}",
            '_zerosum "$@"',
            "",
        )
    )


def _choose(
    commands: Mapping[str, str],
    values: list[str],
    flags: list[str],
    of_recipes: list[str],
    places: list[str],
    first: str,
) -> tuple[str, ...]:
    """Return the lines, in what bash and zsh share, that set `offers` to what may stand next."""
    return (
        f"  if {first}; then",
        f"    offers='{' '.join(commands)} --help --version'",
        "  else",
        "    case $command:$before in",
        *values,
        "    esac",
        "  fi",
        "  if [[ -z $offers && $current == -* ]]; then",
        "    case $command in",
        *flags,
        "    esac",
        "    case $command in train | tune) case $recipe in",
        *of_recipes,
        "    esac ;; esac",
        "    offers+=' --help'",
        "  elif [[ -z $offers && $before == $command ]]; then",
        "    case $command in",
        *places,
        "    esac",
        "  fi",
    )


def _fish(commands: Mapping[str, str], found: Mapping[str, Flags], own: Mapping[str, Flags]) -> str:
    lines = [
        f"# zerosum {__version__}",
        "function __zerosum_recipe",
        r"    set -l typed (commandline -pc | string match -rg -- '--recipe[ =](\S+)\s')",
        '    test "$typed" = "$argv[1]"',
        "end",
    ]
    for command, does in commands.items():
        lines.append(f"complete -c zerosum -n __fish_use_subcommand -f -a {command} -d {_quoted(does)}")
        seen = f"__fish_seen_subcommand_from {command}"
        lines += [_flag_of_fish(seen, name, v) for name, v in found[command].items()]
    for recipe, flags in own.items():
        seen = f"__fish_seen_subcommand_from train tune; and __zerosum_recipe {recipe or _quoted('')}"
        lines += [_flag_of_fish(seen, name, v) for name, v in flags.items()]
    return "\n".join((*lines, ""))


def _flag_of_fish(seen: str, name: str, values: tuple[str, ...]) -> str:
    spelled = f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" if name else "-f"
    chosen = f" -{'x' if name else ''}a {_quoted(' '.join(values))}" if values else ""
    return f"complete -c zerosum -n {_quoted(seen)} {spelled}{chosen}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
