"""Requests for a checkpoint: a file in the run directory that any process may write and that training removes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from zerosum.runtime.atomic_files import storing

REQUEST = "save-requested"


def leave(run: Path) -> None:
    """Ask whatever process trains a run to save after the present round; asking twice is asking once.

    Raises:
        StorageError: the folder cannot be written to.
    """
    with storing(run / REQUEST), suppress(FileExistsError):
        os.close(os.open(run / REQUEST, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # follows no link


def take(run: Path) -> bool:
    """Remove a request; return whether there was one."""
    try:
        (run / REQUEST).unlink()
    except OSError:
        return False
    return True
