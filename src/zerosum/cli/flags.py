"""Command-line flags from dataclasses, and from the keywords of a recipe's method."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_type_hints

import docstring_parser
import tyro
from tyro.constructors import (
    MISSING_NONPROP,
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
    UnsupportedTypeAnnotationError,
)

from zerosum.cli.unknown_flags import LIST_FLAGS, Elsewhere, listing, negation, places, require_known_flags, switches
from zerosum.config import documentation, flag, require_in_range, type_hints
from zerosum.errors import InputError
from zerosum.hub import PREFIX, local
from zerosum.runtime.paths import expanded
from zerosum.runtime.terminal import say

TAKE_HF = ("--features", "--identity")
"""Flags after which hf:NAME is a network that maps images to features, not a run."""


def run_among(arguments: Sequence[str]) -> Path | None:
    """Find the run that is asked for, before its flags are known: the first run named, or the first word."""
    named = value_of(arguments, "--recipe")
    pairs = zip(("", *arguments), arguments, strict=False)
    if hubs := [word for before, word in pairs if word.startswith(PREFIX) and before not in TAKE_HF]:
        return Path(local(hubs[0]))
    words = [argument for argument in arguments if not argument.startswith("-") and argument != named]
    found = next((word for word in words if _is_run(word)), next(iter(words), None))
    return None if found is None else expanded(found)


def _is_run(word: str) -> bool:
    """Whether a word that was typed is a run: what a flag takes may begin with ~, or be longer than a name can be."""
    try:
        return (Path(word).expanduser() / "run.json").is_file()
    except RuntimeError:
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def value_of(arguments: Sequence[str], name: str) -> str | None:
    """Return what follows the flag `name`, where it decides which other flags there are."""
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None


def as_choices(settings: type, words: Mapping[str, str]) -> dict[str, Any]:
    """Return words by the names of the fields they are for, as what they choose where a field lists its values.

    >>> from zerosum.data.options import DataConfig
    >>> as_choices(DataConfig, {"depth": "16", "size": "64"})
    {'depth': 16, 'size': '64'}
    """
    kinds = get_type_hints(settings)
    chosen = {name: [one for one in get_args(kinds[name]) if str(one) == word] for name, word in words.items()}
    return {name: next(iter(chosen[name]), word) for name, word in words.items()}


def typed(name: str, value: str) -> list[str]:
    """Return the words of a flag and its value: one where the value would be read as another flag.

    >>> typed("label", "shirt"), typed("label", "--none")
    (['--label', 'shirt'], ['--label=--none'])
    """
    return [f"{flag(name)}={value}"] if value.startswith("-") else [flag(name), value]


def first_word(arguments: Sequence[str]) -> str:
    """Return what may be the positional argument, before the flags are known; "" for none."""
    named = value_of(arguments, "--recipe")
    return next((a for a in arguments if not a.startswith("-") and a != named), "")


def help_of(function: Callable[..., Any]) -> dict[str, str | None]:
    """Return what the docstring of a function says of its parameters, by name."""
    return {p.arg_name: p.description for p in docstring_parser.parse(function.__doc__ or "").params}


def with_controls(kind: type, function: Callable[..., Any], controls: Mapping[str, inspect.Parameter]) -> type:
    """Add controls to the flags of `kind`, each with its line of the docstring of `function` as help.

    Raises:
        InputError: a control has the name of a flag of `kind`, or lacks a type or a default.
    """
    taken = {field.name for field in dataclasses.fields(kind)}
    for name, p in controls.items():
        if name in taken:
            raise InputError(f"{function.__qualname__} has a control {name!r}, and {flag(name)} means something else.")
        if p.empty in (p.annotation, p.default):
            raise InputError(f"{function.__qualname__} has a control {name!r}, which needs a type and a default, None.")
    texts = help_of(function)
    fields = [
        (name, Annotated[p.annotation, tyro.conf.arg(help=texts.get(name))], dataclasses.field(default=p.default))
        for name, p in controls.items()
    ]
    return dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True, kw_only=True)


def chosen_among(given: Any, controls: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the controls that were set, by name."""
    return {name: value for name in controls if (value := getattr(given, name)) is not None}


CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)


def parse(kind: type, arguments: Sequence[str], *, prog: str, elsewhere: Elsewhere = lambda word, ours: None) -> Any:
    """Read the command line into a `kind`; where help is asked for, all of it is printed, whatever else was typed.

    Args:
        kind: dataclass of the command's flags.
        arguments: as they were typed.
        prog: how the command is called.
        elsewhere: as for `require_known_flags`.

    Raises:
        InputError: there is a flag that the command does not have, or a value outside its type and range.
        SystemExit: help or the flags were printed (0), or the flags are wrong and the reason is on stderr (2).
    """
    if LIST_FLAGS in arguments:
        say(*listing(kind))
        raise SystemExit(0)
    helping = not {"-h", "--help"}.isdisjoint(arguments)
    if not helping:
        require_known_flags(kind, arguments, prog=prog, elsewhere=elsewhere)
    words = ["--help"] if helping else _with_values(switches(kind), arguments)
    given, left = tyro.cli(
        kind, args=words, prog=prog, config=CONFIG, registry=_registry(kind), return_unknown_args=True
    )
    if left:
        takes = " ".join([*places(kind), "and flags"] if places(kind) else ["flags alone"])
        raise InputError(
            f"{prog} takes {takes}, and {left[0]!r} is left over: quote what has blanks in it, and leave out what is "
            "too much."
        )
    require_in_range(given)
    return given


def is_typed(arguments: Sequence[str], name: str) -> bool:
    """Whether a setting was typed: by its flag, or the one that turns it off."""
    spelled = {word.partition("=")[0].replace("_", "-") for word in arguments if word.startswith("--")}
    return not spelled.isdisjoint((flag(name), negation(name)))


def _with_values(names: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Spell out settings that are on or off: --x and --x true become --x True, and --no-x becomes --x False."""
    on, off = {flag(name) for name in names}, {negation(name): flag(name) for name in names}
    words: list[str] = []
    for word in arguments:
        spelled = word.replace("_", "-")
        if words and words[-1] in on and word.lower() in ("true", "false"):
            words.append(word.capitalize())
            continue
        if words and words[-1] in on:
            words.append("True")
        words += [off[spelled], "False"] if spelled in off else [spelled if spelled in on else word]
    return [*words, "True"] if words and words[-1] in on else words


def _registry(kind: type) -> ConstructorRegistry:
    """Teach tyro four habits of ours: what None means, what a path is, where help is written, and what is on or off."""
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def optional(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | UnsupportedTypeAnnotationError | None:
        """Read `T | None` as T: it is None where the flag is left out, and nothing typed after it means None."""
        kinds = [kind for kind in get_args(info.type) if kind is not type(None)]
        if info.type_origin not in (Union, types.UnionType) or len(kinds) != 1:
            return None
        inner = registry.get_primitive_spec(PrimitiveTypeInfo.make(kinds[0], info.markers))
        if isinstance(inner, UnsupportedTypeAnnotationError):
            return inner
        return dataclasses.replace(
            inner,
            is_instance=lambda value: value is None or inner.is_instance(value),
            str_from_instance=lambda value: ["unset"] if value is None else inner.str_from_instance(value),
        )

    @registry.primitive_rule
    def place(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Path] | None:
        """Read a path, its `~` resolved also where the shell leaves it, as in --out=~/faces, or a run hf:owner/name."""
        if info.type is not Path:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="PATH",
            instance_from_str=lambda words: Path(local(expanded(words[0]))),
            is_instance=lambda value: isinstance(value, Path),
            str_from_instance=lambda value: [str(value)],
        )

    @registry.struct_rule
    def documented(info: StructTypeInfo) -> StructConstructorSpec | None:
        """Read a dataclass field by field; help is the docstring under a field. Settings take True or False."""
        if not dataclasses.is_dataclass(info.type):
            return None
        texts = documentation(info.type)
        kinds: dict[str, Any] = dict(type_hints(info.type))
        if info.type is not kind:
            kinds = {k: Annotated[bool, tyro.conf.FlagConversionOff] if v is bool else v for k, v in kinds.items()}
        fields = (
            StructFieldSpec(name=f.name, type=kinds[f.name], default=_default(f, info), helptext=texts.get(f.name))
            for f in dataclasses.fields(info.type)
        )
        return StructConstructorSpec(instantiate=info.type, fields=tuple(fields))

    return registry


def _default(field: dataclasses.Field[Any], info: StructTypeInfo) -> Any:
    if isinstance(info.default, info.type):
        return getattr(info.default, field.name)
    return MISSING_NONPROP if field.default is dataclasses.MISSING else field.default
