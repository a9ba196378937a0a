"""Packs that were begun: what a killed process has decoded stays, and the next one goes on behind it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.file_locks import lock_file

PROGRESS, LOCK = "begun.json", "lock"


@dataclass(frozen=True)
class Begun:
    """How far a pack has come, as far as the disk holds it."""

    done: int = 0
    """Files that were decoded or skipped."""
    count: int = 0
    """Rows of them."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Reasons by name of the files that cannot be used."""


def claimed(home: Path, key: str) -> tuple[Path, int] | None:
    """Take the folder in which a pack was begun, or is to be; None where another process has it.

    Returns:
        The folder, and the file that locks it until it is closed.
    """
    folder = home / f".making-{key}-begun"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
    if lock_file(handle) is True:
        return folder, handle
    os.close(handle)
    return None


def read(folder: Path) -> Begun:
    """Return how far the pack in a folder has come; not at all where nothing can be read."""
    try:
        return TypeAdapter(Begun).validate_json((folder / PROGRESS).read_bytes())
    except (OSError, ValidationError):
        return Begun()


def mark(folder: Path, begun: Begun) -> None:
    """Write how far a pack has come, once its rows are on the disk.

    Raises:
        StorageError: The disk refuses.
    """
    with replacing(folder / PROGRESS) as partial:
        partial.write_text(json.dumps(asdict(begun)))


def settle(folder: Path) -> None:
    """Remove what a finished pack has no use for."""
    for name in (PROGRESS, LOCK):
        (folder / name).unlink(missing_ok=True)
