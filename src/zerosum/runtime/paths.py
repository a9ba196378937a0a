"""The one place where paths that a person gives are resolved: ~ is the home folder, the rest counts from here."""

from __future__ import annotations

import os
from pathlib import Path

from zerosum.errors import InputError


def expanded(path: str | Path) -> Path:
    """A path with ~ and ~name replaced by home folders, and otherwise as it was given.

    Raises:
        InputError: There is no such home folder.

    >>> expanded("runs/a").as_posix()
    'runs/a'
    """
    try:
        return Path(path).expanduser()
    except (RuntimeError, KeyError) as error:
        raise InputError(f"{path} begins with a home folder that is not known here: give the whole path.") from error


def absolute(path: str | Path) -> Path:
    """A path from the root of the file system, as a run keeps it; links in it stay.

    Raises:
        InputError: It begins with a home folder that is not known.
    """
    return expanded(path).absolute()


def place_of(data: object) -> str:
    """Return where data lie, as it was given in Python.

    Raises:
        InputError: the data themselves were given, or nothing.
    """
    if isinstance(data, str | os.PathLike):
        return str(data)
    raise InputError(
        f"data is of the type {type(data).__name__}: give a path or a name, of an array the file that "
        'numpy.save("data.npy", array) writes.'
    )
