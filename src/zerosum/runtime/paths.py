"""Paths as a person writes them: the one place where `~` is resolved."""

from __future__ import annotations

from pathlib import Path

from zerosum.errors import InputError


def expanded(path: str | Path) -> Path:
    """Return a path with a leading `~` or `~name` replaced by the home folder.

    Raises:
        InputError: There is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except (RuntimeError, KeyError):
        raise InputError(f"{path} begins with ~, and there is no such home folder: write the path in full.") from None
