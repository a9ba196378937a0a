"""A lock on a folder that one process at a time may write to, on any machine; a crash does not leave it behind.

The lock is one of the operating system on the file `lock`, which ends with the process however that ends. Not every
shared file system shows such a lock to other machines, so the holder also counts in the file, every few seconds. A
process on another machine takes the lock over only where the count stood still for `STALE` seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from zerosum.errors import InputError, StorageError
from zerosum.runtime.atomic_files import PREFIX, storing
from zerosum.runtime.file_locks import lock_file

LOCK = "lock"
"""Name of the file in the folder; it says who holds the lock, and is there while the lock is held."""
BEAT, STALE = 5.0, 60.0
"""Seconds between two counts of the holder, and after which one that does not count is gone."""
STARTING = 0.5
"""Seconds that a holder is given to write who it is."""
LARGEST = 4096


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    pid: int
    host: str
    machine: str
    """Identifies the running system, which hosts of one name do not."""
    since: str
    token: str
    beat: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class _Held:
    """A lock that this process holds, and the thread that counts in its file."""

    def __init__(self, path: Path, handle: int, who: Holder) -> None:
        self.path, self.handle, self.who = path, handle, who
        self.taken_by: Holder | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count, name="zerosum-lock", daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while not self._ended.wait(BEAT):
            found = _read(self.path)
            if found is not None and found.token != self.who.token:
                self.taken_by = found
                return
            self.who = replace(self.who, beat=self.who.beat + 1)
            with contextlib.suppress(OSError):
                _write(self.handle, self.who)

    def release(self) -> None:
        """Stop counting and remove the file, unless it is another's by now."""
        self._ended.set()
        self._thread.join()
        if sys.platform != "win32" and self.taken_by is None:  # where an open file cannot be removed
            self.path.unlink(missing_ok=True)
        os.close(self.handle)


_held: dict[Path, _Held] = {}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which exists; where a process of another machine held it, first see that it is gone.

    Raises:
        InputError: Another process, or another thread of this one, holds it.
        StorageError: The folder cannot be written to.
    """
    path = folder / LOCK
    with storing(path):
        held = _taken(path)
    key = folder.resolve()
    _held[key] = held
    try:
        yield
    finally:
        _held.pop(key, None)
        held.release()


def require_held(folder: Path) -> None:
    """See that a lock that this process took is still its own: it may have slept for longer than others wait.

    Raises:
        StorageError: Another process has taken it over.
    """
    held = _held.get(folder.resolve())
    if held is not None and held.taken_by is not None:
        raise StorageError(
            f"{folder} is written by {held.taken_by}, because this process gave no sign for {STALE:.0f} seconds: this "
            "one ends."
        )


def holder(folder: Path) -> int | None:
    """Return the number of the process on this machine that holds the lock of a folder; None where there is none.

    The lock is not touched, so that whoever wants it does not find it taken. Where the system shows which files a
    process has open, it must have this one; elsewhere a process of that number must be there.
    """
    path = folder / LOCK
    who = _read(path)
    if who is None or who.machine != _machine():
        return None
    try:
        os.kill(who.pid, 0)
        if not Path("/proc/self/fd").is_dir():
            return who.pid
        return who.pid if any(path.samefile(handle) for handle in _open_files(who.pid)) else None
    except (OSError, OverflowError):
        return None


def _taken(path: Path) -> _Held:
    """Make the file and lock it, once nobody else holds it."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            found = None
        except FileExistsError:
            try:
                handle = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue
            found = path
        try:
            shared = lock_file(handle)
            if found is None and shared is not None and _same(handle, path):
                return _begun(path, handle)
            _require_free(path, shared)
        except BaseException:
            os.close(handle)
            raise
        if _same(handle, path):
            if sys.platform == "win32":  # where an open file cannot be removed
                return _begun(path, handle)
            _remove(path)
        os.close(handle)


def _begun(path: Path, handle: int) -> _Held:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    who = Holder(os.getpid(), socket.gethostname(), _machine(), since, secrets.token_hex(8))
    os.ftruncate(handle, 0)
    _write(handle, who)
    return _Held(path, handle, who)


def _require_free(path: Path, taken: bool | None) -> None:
    """See that nobody counts in the file of a lock.

    Args:
        path: the file.
        taken: whether its lock is ours now; False where the file system has no locks, None where another has it.
    """
    who = _read(path)
    if taken is None:
        raise _refusal(path, who)
    if who is None:  # perhaps it was made this moment, on another machine
        time.sleep(STARTING)
        who = _read(path)
    here = who is not None and who.machine == _machine()
    if who is None or (here and taken):  # on one machine, a lock that can be taken has no holder
        return
    if here:
        if holder(path.parent) is not None:
            raise _refusal(path, who)
        return
    deadline = time.monotonic() + STALE
    while time.monotonic() < deadline:
        time.sleep(min(1.0, STALE / 10))
        now = _read(path)
        if now is None or now.token != who.token:
            return  # it has ended, or another one has begun: look again
        if now.beat != who.beat:
            raise _refusal(path, now)


def _refusal(path: Path, who: Holder | None) -> InputError:
    named = "another process, which is starting" if who is None else str(who)
    return InputError(f"{path.parent} is being written by {named}: wait until it has ended, or stop it.")


def _remove(path: Path) -> None:
    """Remove the file of a holder that is gone: of several processes that want to, one does."""
    aside = path.with_name(f"{PREFIX}{secrets.token_hex(8)}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        aside.unlink()


def _write(handle: int, who: Holder) -> None:
    content = json.dumps(asdict(who)).encode().ljust(512) + b"\n"
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, content)
    os.fsync(handle)


def _read(path: Path) -> Holder | None:
    """Read who holds a lock, with a handle of our own: a network file system looks anew whenever a file is opened."""
    try:
        with open(path, "rb") as file:
            return Holder(**json.loads(file.read(LARGEST)))
    except (OSError, ValueError, TypeError):
        return None


def _same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _open_files(number: int) -> Iterator[Path]:
    """Yield the open files of a process, as Linux shows them to its user."""
    for handle in Path(f"/proc/{number}/fd").iterdir():
        if handle.exists():
            yield handle
