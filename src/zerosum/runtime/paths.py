"""The one place where paths that a person gives are resolved: ~ is the home folder, the rest counts from here."""

from __future__ import annotations

import os
from numbers import Number
from pathlib import Path

from zerosum.errors import InputError


def expanded(path: str | Path) -> Path:
    """A path with ~ and ~name replaced by home folders, and otherwise as it was given.

    Raises:
        InputError: There is no such home folder, or it is neither text nor a path, or empty.

    >>> expanded("runs/a").as_posix()
    'runs/a'
    """
    if isinstance(path, str) and not path:  # of an unset variable; pathlib takes it for the folder in which one is
        raise InputError("An empty text is given where a path or a name is needed: give one, or . for this folder.")
    try:
        return Path(named(path)).expanduser()
    except (RuntimeError, KeyError) as error:
        raise InputError(f"{path} begins with a home folder that is not known here: give the whole path.") from error


def absolute(path: str | Path) -> Path:
    """A path from the root of the file system, as a run keeps it; links in it stay.

    Raises:
        InputError: It begins with a home folder that is not known.
    """
    return expanded(path).absolute()


def require_writable(path: Path) -> None:
    """Check, before any work, that something may be made at a path: in its folder, or the nearest one that is there.

    Raises:
        InputError: it may not.
    """
    above = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(f"--out is {path}, and {above} cannot be written to: give another place.")


def named(place: object) -> str:
    """A place that a caller of the Python interface gives, as text: a path, or a name.

    Raises:
        InputError: It is neither text nor a path.

    >>> named(Path("photos"))
    'photos'
    """
    if isinstance(place, str | os.PathLike):
        return os.fsdecode(place)
    kind = type(place).__name__
    if isinstance(place, list | tuple) and all(isinstance(one, str | os.PathLike) for one in place):
        raise InputError(f"A {kind} of places is given where one is needed: give each as an argument of its own.")
    if isinstance(place, Number):
        raise InputError(f"The number {place!r} is given where a path or a name is needed: give text, or a Path.")
    raise InputError(
        f"An object of the type {kind} is given where a path or a name is needed: keep images as files in a folder, or "
        'as an array of (N, H, W) or (N, H, W, C) by numpy.save("data.npy", array), and name that.'
    )
