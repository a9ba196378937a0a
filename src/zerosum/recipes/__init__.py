"""One paper, one file; the file's name is the recipe's name, and it is imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil

from zerosum.errors import InputError
from zerosum.recipe import Recipe


def names() -> list[str]:
    """Return the names of all recipes, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> type[Recipe]:
    """Return the recipe called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no recipe {name!r}; {hint} `zerosum recipes` lists them.")
    module = importlib.import_module(f"{__name__}.{name}")
    (recipe,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Recipe) and value.__module__ == module.__name__
    )
    return recipe
