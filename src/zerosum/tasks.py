"""The controls that a recipe gives its user: the keywords of its `sample`, or of its `translate`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from zerosum.errors import InputError


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
