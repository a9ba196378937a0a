"""Flags that a run's recipe brings along: the keywords of its `sample` or `translate`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
import tyro


def run_among(arguments: Sequence[str]) -> Path | None:
    """Find the run that is asked for, before its flags are known: the first run named, or the first word."""
    words = [Path(argument) for argument in arguments if not argument.startswith("-")]
    runs = [word for word in words if (word / "run.json").is_file()]
    return next(iter([*runs, *words]), None)


def with_controls(kind: type, function: Callable[..., Any], controls: Mapping[str, inspect.Parameter]) -> type:
    """Add controls to the flags of `kind`, each with its line of the docstring of `function` as help."""
    texts = {p.arg_name: p.description for p in docstring_parser.parse(function.__doc__ or "").params}
    fields = [
        (name, Annotated[p.annotation, tyro.conf.arg(help=texts.get(name))], dataclasses.field(default=p.default))
        for name, p in controls.items()
    ]
    return dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True, kw_only=True)


def chosen_among(given: Any, controls: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the controls that were set, by name."""
    return {name: value for name in controls if (value := getattr(given, name)) is not None}
