"""Controls: the keywords of a recipe's method at use that a user can set."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from zerosum.errors import InputError
from zerosum.recipe import Recipe


def controls(recipe: type[Recipe] | Recipe) -> dict[str, inspect.Parameter]:
    """Return the keywords of a recipe's method that a person can set, by name: all but tensors."""
    return controls_of(getattr(recipe, recipe.task.method))


def controls_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the keywords of a function that a person can set, by name: all but tensors.

    >>> list(controls_of(lambda n, *, truncation=None: n))
    ['truncation']
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    return {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY and "Tensor" not in str(p.annotation)}


def require_known(chosen: Iterable[str], known: Iterable[str]) -> None:
    """See that every chosen control is there.

    Raises:
        InputError: one is not.
    """
    have = list(known)
    for name in chosen:
        if name not in have:
            raise InputError(f"This run's recipe has no control {name!r}; it has: {', '.join(have) or 'none'}.")
