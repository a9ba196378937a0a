"""Files of the cache: how they reach the disk, and what the disk says where they do not."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO, TextIO

from zerosum.errors import StorageError

STALE_SECONDS = 24 * 3600


def storage_error(cache: Path, error: OSError) -> StorageError:
    """Say in a sentence why the cache cannot be written to."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        why = "the disk is full: make room"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        why = "writing there is not permitted: change that"
    else:
        why = f"{error.strerror or error}: repair that"
    return StorageError(f"Cannot store data in {cache}, {why}, or choose another folder with --cache or ZEROSUM_CACHE.")


def rename_new(scratch: Path, final: Path) -> None:
    """Rename a folder to where none is yet, or one of the same content by now."""
    try:
        scratch.rename(final)
    except OSError:
        if not (final / "pack.json").exists():  # else another process was first, with the same content
            raise


def sweep_abandoned(home: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for folder in home.glob(".making-*"):
        try:
            age_seconds = time.time() - max(entry.stat().st_mtime for entry in (folder, *folder.iterdir()))
        except OSError:  # another process has just finished with it
            continue
        if age_seconds > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def to_disk(file: BinaryIO | TextIO) -> None:
    """Force what was written to the disk."""
    file.flush()
    os.fsync(file.fileno())
