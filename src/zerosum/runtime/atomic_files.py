"""Atomic writes of files: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import StorageError


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a refused write at `path` into one sentence.

    Raises:
        StorageError: The disk is full, read-only, or not ours.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} could not be written: {error.strerror or error}; what was saved before stands."
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, in `path`'s folder; it takes `path`'s place once the block ends well.

    Whoever reads `path` meanwhile, or after a crash, gets the old file or the new one, never half of one. The folder is
    made if need be.

    Raises:
        StorageError: The disk refused; what stood at `path` still stands.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            with partial.open("rb+") as written:
                os.fsync(written.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
