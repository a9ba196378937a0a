"""Atomic writes of files and folders: whole or not at all, with temporary names that no user's file has.

Everything unfinished lies beside its target under a name that begins with `.zerosum-` and holds random digits. What a
killed process leaves is removed by `sweep`, which the next one calls that writes to the folder for long.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import StorageError

PREFIX = ".zerosum-"
RUN = "run.json"
"""The file that makes a folder the folder of a run."""
REPLACED, REMOVED = PREFIX + "old.", PREFIX + "removed."
"""Begin the name of a folder that is being replaced, or removed; its own name follows."""


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a refused write at `path` into one sentence.

    Raises:
        StorageError: The disk is full, read-only, or not ours.
    """
    try:
        yield
    except OSError as error:
        kept = "; what was saved before stands" if _has_earlier(path) else ""
        refused = StorageError(f"{path} could not be written: {error.strerror or error}{kept}.")
        refused.path = path
        raise refused from error


def _has_earlier(path: Path) -> bool:
    """Whether something was saved before at a path, or in the run that it lies in."""
    return os.path.lexists(path) or any(os.path.lexists(folder / RUN) for folder in path.parents[:3])


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, in `path`'s folder; it takes `path`'s place once the block ends well.

    Whoever reads `path` meanwhile, or after a crash, gets the old file or the new one, never half of one. The folder is
    made if need be. No file but `path` is touched.

    Raises:
        StorageError: The disk refused; what stood at `path` still stands.
    """
    partial = _beside(path)
    with storing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            with partial.open("rb+") as written:
                os.fsync(written.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, forced to disk; a folder that it replaces is moved aside first and back after a crash.

    Raises:
        OSError: The disk refused; what stood at `target` still stands.
    """
    beside = _beside(target)
    beside.mkdir(parents=True)
    try:
        for name, content in files.items():
            with (beside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        _exchange(beside, target)
        if os.name == "posix":  # elsewhere a folder cannot be opened, and renames are journalled by themselves
            folder = os.open(target.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def remove_folder(path: Path) -> None:
    """Remove a folder so that half of it is never found under its name.

    Raises:
        OSError: The disk refused.
    """
    aside = path.with_name(REMOVED + path.name)
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)
    shutil.rmtree(aside)


def sweep(folder: Path, *, older: tuple[str, ...] = (".*.part", ".*.partial")) -> None:
    """Remove what killed processes left unfinished in a folder, and put back what one of them was replacing.

    Args:
        folder: what to look at, not the folders in it; it need not be there.
        older: patterns of the temporary names of earlier versions.

    Raises:
        StorageError: The disk refused.
    """
    with storing(folder):
        for left in [path for pattern in (PREFIX + "*", *older) for path in folder.glob(pattern)]:
            own = folder / left.name.removeprefix(REPLACED)
            if left.name.startswith(REPLACED) and not own.exists():
                left.rename(own)
            elif left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f"{PREFIX}{secrets.token_hex(8)}")


def _exchange(new: Path, target: Path) -> None:
    """Rename a folder to `target`, over what is there."""
    if not target.exists():
        new.rename(target)
        return
    aside = target.with_name(REPLACED + target.name)
    shutil.rmtree(aside, ignore_errors=True)
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside)
