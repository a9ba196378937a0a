"""Additions to a recipe's game that keep it stable, one a file; imported only when asked for."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import pkgutil

from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser

SHARED = ("base", "penalty", "requirements")
"""Modules of this package that hold no stabiliser."""

NONE = "none"
"""What is typed to leave out what would be chosen otherwise; it stands alone."""


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all stabilisers, in alphabetical order."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name not in SHARED))


def find(name: str) -> type[Stabiliser]:
    """Return the stabiliser called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no stabiliser {name!r}; {hint}")
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    (stabiliser,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Stabiliser) and value.__module__ == module.__name__
    )
    return stabiliser


def parse(text: str | None) -> tuple[Stabiliser, ...]:
    """Read `name[:value]` by commas, as in "instance-noise:0.1,feature-matching".

    Raises:
        InputError: an unknown name, one named twice, "none" among others, or a value that is not a number above 0.
    """
    found: dict[str, Stabiliser] = {}
    for part in text.split(",") if text is not None else ():
        name, colon, value = (word.strip() for word in part.partition(":"))
        if name.lower() == NONE:
            raise InputError(f"--stabilise is {text}, and none stands alone: leave it out, or give --stabilise none.")
        kind = find(name)
        if name in found:
            raise InputError(f"--stabilise names {name} twice: give it once.")
        try:
            found[name] = kind(float(value)) if colon else kind()
        except ValueError:
            raise InputError(f"--stabilise {name} has the value {value!r}: give a number, as {name}:1.0.") from None
    return tuple(found.values())


def checked(text: str | None) -> str | None:
    """Return a text that `parse` can read, and None for "none", which leaves out what would be chosen otherwise.

    Raises:
        InputError: it cannot.
    """
    if text is not None and text.strip().lower() == NONE:
        return None
    parse(text)
    return text


def apply(recipe: Recipe, *stabilisers: Stabiliser) -> None:
    """Prepare a recipe for its stabilisers, before it has players.

    Raises:
        InputError: one cannot be applied to this recipe.
    """
    for stabiliser in stabilisers:
        stabiliser.prepare(recipe)
        recipe.divisible = recipe.divisible and stabiliser.divisible
    recipe.stabilisers = (*recipe.stabilisers, *stabilisers)
