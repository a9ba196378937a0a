"""A lock on a folder that one process at a time may write to, which ends with the process however that ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import InputError
from zerosum.runtime.atomic_files import storing

LOCK = "lock"
"""Name of the file in the folder; it holds the number of the process, and is there while the lock is held."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which exists. The operating system lets go of it for a process that is killed.

    Where the file system has no locks, none is held.

    Raises:
        InputError: Another process, or another thread of this one, holds it.
        StorageError: The folder cannot be written to.
    """
    path = folder / LOCK
    with storing(path):
        handle = _open_locked(path)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        if sys.platform != "win32":  # where an open file cannot be removed
            path.unlink(missing_ok=True)
        os.close(handle)


def holder(folder: Path) -> int | None:
    """Return the number of the process on this machine that holds the lock of a folder; None where there is none.

    The lock is not touched, so that whoever wants it does not find it taken. Where the system shows which files a
    process has open, it must have this one; elsewhere a process of that number must be there.
    """
    path = folder / LOCK
    try:
        number = int(path.read_text(encoding="ascii"))
        os.kill(number, 0)
        if not Path("/proc/self/fd").is_dir():
            return number
        return number if any(path.samefile(handle) for handle in _open_files(number)) else None
    except (OSError, ValueError, OverflowError):
        return None


def _open_files(number: int) -> Iterator[Path]:
    """Yield the open files of a process, as Linux shows them to its user."""
    for handle in Path(f"/proc/{number}/fd").iterdir():
        if handle.exists():
            yield handle


def _open_locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError):
            who = os.read(handle, 32).decode("ascii", "replace").strip()
            os.close(handle)
            raise InputError(
                f"{path.parent} is being written by process {who or '(starting)'}: wait until it has ended, or stop it."
            ) from None
        except OSError:
            return handle  # this file system has no locks
        try:
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)  # its holder removed it in between: what is locked is no longer there


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the number, which others read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
