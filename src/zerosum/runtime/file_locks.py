"""Locks of the operating system on open files, which end with the process however that ends."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    def lock_file(handle: int) -> bool | None:
        """Lock an open file: True; None where another process has it."""
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond what others read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return None
        return True

else:
    import fcntl

    def lock_file(handle: int) -> bool | None:
        """Lock an open file: True; None where another process has it, False where this file system has no locks."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return None
        except OSError:
            return False
        return True
