"""Opening regular files alone, and digests of their content."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1 << 20


class NotRegularError(OSError):
    """What was to be read is a named pipe, a socket, a device or a folder."""


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading. Opening a named pipe would wait for a writer for ever.

    Raises:
        NotRegularError: It is no regular file.
        OSError: It is not there, or may not be read.
    """
    wanted = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
    handle = os.open(path, wanted)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegularError(f"{path} is no regular file")
    return os.fdopen(handle, "rb")


def read_regular(path: str | Path) -> bytes:
    """Read a regular file.

    Raises:
        NotRegularError: It is no regular file.
        OSError: It is not there, or cannot be read.
    """
    with open_regular(path) as file:
        return file.read()


def digest_of(path: str | Path) -> str:
    """Hex digest (BLAKE2b, 128 bits) of a regular file's content.

    Raises:
        OSError: It cannot be read.
    """
    with open_regular(path) as file:
        return digest_of_content(file)


def digest_of_content(file: BinaryIO) -> str:
    """Hex digest (BLAKE2b, 128 bits) of what is left to read of an open file."""
    found = hashlib.blake2b(digest_size=16)
    while chunk := file.read(CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest()


def metadata_of(path: str | Path) -> tuple[int, ...]:
    """Device, inode, size in bytes, and times of the last change of content and of inode in nanoseconds.

    Raises:
        OSError: The file is not there.
    """
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
