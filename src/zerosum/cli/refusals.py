"""What is said of an error beyond its sentence: the recipe or the path to blame, and what to type next."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from zerosum.errors import StorageError, ZerosumError


def with_way_on(error: ZerosumError, sentence: str, command: str, arguments: Sequence[str]) -> str:
    """Add to a sentence on a refused write which flag of a command names another place, if one does."""
    from zerosum.cli.flags import value_of
    from zerosum.runtime.paths import absolute

    if not isinstance(error, StorageError) or error.path is None:
        return sentence
    place, words = absolute(error.path), [Path(), *(Path(word) for word in arguments if not word.startswith("-"))]
    for name in (_place_of(command, arguments), "--cache"):
        typed = None if name is None else value_of(arguments, name)
        given = [Path(typed)] if typed is not None else words if name != "--cache" else []
        if name is not None and any(place.is_relative_to(absolute(folder)) for folder in given):
            return f"{sentence.removesuffix('.')}; name another place with {name}."
    return sentence


def _place_of(command: str, arguments: Sequence[str]) -> str | None:
    """Return the flag by which a command is told where to write; None where it has none."""
    from zerosum.cli.flags import value_of

    if command == "train":
        return "--run" if value_of(arguments, "--resume") is None else None
    kinds = [kind for kind in vars(sys.modules[f"zerosum.cli.{command}"]).values() if isinstance(kind, type)]
    return "--out" if any("out" in getattr(kind, "__dataclass_fields__", {}) for kind in kinds) else None


def told_of_recipe(error: Exception) -> str | None:
    """Return the traceback of an error in a recipe from outside, from its first line on, after a sentence on it."""
    from zerosum import recipes

    frames = traceback.extract_tb(error.__traceback__)
    first = next((place for place, frame in enumerate(frames) if recipes.is_outside(frame.filename)), None)
    if first is None:
        return None
    last = next(frame for frame in reversed(frames) if recipes.is_outside(frame.filename))
    sentence = (
        f"The recipe raised {type(error).__name__} in {last.name}, line {last.lineno} of {last.filename}; "
        "zerosum.testing.check_recipe tries a recipe out in a few seconds."
    )
    found = traceback.TracebackException.from_exception(error)
    found.stack = traceback.StackSummary.from_list(frames[first:])
    return sentence + "\n" + "".join(found.format()).rstrip()


def refused_path(error: Exception) -> str | None:
    """Return a sentence on a path that the operating system refuses: no permission, or a name too long."""
    if not isinstance(error, OSError) or error.filename is None or error.strerror is None:
        return None
    path = error.filename if isinstance(error.filename, int) else os.fsdecode(error.filename)
    return f"{path} cannot be used ({error.strerror}): see who may read and write it, or name another place."
