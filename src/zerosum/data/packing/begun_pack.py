"""Packs that were begun: what a killed process has decoded stays, and the next one goes on behind it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.file_locks import lock_file

PROGRESS, FILES_DONE, LOCK = "begun.json", "begun.files", "lock"
ENTRY = np.dtype([("rows", "<i8"), ("size", "<i8")])
"""What is noted of a source file: the rows that it gave, and its bytes where files are kept as they are."""


@dataclass(frozen=True)
class Progress:
    """What is written of a pack in the making, as far as the disk holds it."""

    done: int = 0
    """Source files that were decoded or skipped."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Reasons by name of the files that cannot be used."""


@dataclass(frozen=True)
class Begun:
    """How far a pack has come."""

    files: np.ndarray = field(default_factory=lambda: np.empty(0, ENTRY))
    """Of each source file that was decoded or skipped, in order, an ENTRY."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Reasons by name of the files that cannot be used."""

    @property
    def count(self) -> int:
        """Rows that are there."""
        return int(self.files["rows"].sum())


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


def read(folder: Path, samples: str, row_bytes: int) -> Begun:
    """Return how far the pack in a folder has come; not at all where what is there does not fit together.

    Args:
        folder: in which the pack is made.
        samples: name of the file of samples.
        row_bytes: of a row in it; 0 where files are kept as they are.
    """
    try:
        progress = TypeAdapter(Progress).validate_json((folder / PROGRESS).read_bytes())
        files = np.fromfile(folder / FILES_DONE, ENTRY, count=progress.done)
        begun = Begun(files, progress.skipped)
        size = begun.count * row_bytes + int(files["size"].sum())
        whole = len(files) == progress.done and (folder / samples).stat().st_size >= size
        return begun if whole else Begun()
    except (OSError, ValidationError):
        return Begun()


def has_begun(folder: Path) -> bool:
    """Whether something was noted that is worth keeping."""
    return (folder / PROGRESS).exists()


def mark(folder: Path, before: int, files: Sequence[tuple[int, int]], skipped: Mapping[str, str]) -> None:
    """Note more source files, once their rows are on the disk.

    Args:
        folder: in which the pack is made.
        before: files that are noted by now.
        files: rows and bytes of those that follow them.
        skipped: reasons by name of all that cannot be used.

    Raises:
        OSError, StorageError: The disk refuses.
    """
    with open(folder / FILES_DONE, "r+b" if before else "wb") as file:
        file.seek(before * ENTRY.itemsize)
        file.write(np.array(files, ENTRY).tobytes())
        file.flush()
        os.fsync(file.fileno())
    with replacing(folder / PROGRESS) as partial:
        partial.write_text(json.dumps({"done": before + len(files), "skipped": dict(skipped)}))


def settle(folder: Path) -> None:
    """Remove what a finished pack has no use for."""
    for name in (PROGRESS, FILES_DONE, LOCK):
        (folder / name).unlink(missing_ok=True)
