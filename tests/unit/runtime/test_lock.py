"""The lock of a run: one process at a time on any machine, and none that a crash leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from zerosum.errors import InputError, StorageError
from zerosum.runtime import file_locks, lock
from zerosum.runtime.lock import holder, locked, require_held

HOLD = """
import sys, time
from pathlib import Path
from zerosum.runtime import lock
lock.BEAT = 0.05
if len(sys.argv) > 2:
    lock._machine = lambda: sys.argv[2]
    lock.lock_file = lambda handle: True
with lock.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.05)
    monkeypatch.setattr(lock, "STALE", 0.5)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of the system reaches no other machine, and this is another one than the holder's."""
    monkeypatch.setattr(lock, "lock_file", lambda handle: True)
    monkeypatch.setattr(lock, "_machine", lambda: "another")


def hold(folder: Path, *machine: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *machine], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        assert holder(tmp_path) == process.pid
        said = rf"being written by process {process.pid} on {socket.gethostname()}, since 20\d\d-\d\d-\d\d .*: wait"
        with pytest.raises(InputError, match=said), locked(tmp_path):
            pass
        process.kill()
    began = time.monotonic()
    with locked(tmp_path):  # at once, on the same machine
        assert holder(tmp_path) == os.getpid()
    assert time.monotonic() - began < 5
    assert holder(tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("quick", "elsewhere")
def test_on_another_machine_one_that_counts_is_refused_and_one_that_was_killed_is_followed(tmp_path: Path) -> None:
    with hold(tmp_path, "one") as process:
        with pytest.raises(InputError, match=f"being written by process {process.pid} on "), locked(tmp_path):
            pass
        assert holder(tmp_path) is None  # which is on this machine only
        process.kill()
    began = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - began > 0.4
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


@pytest.mark.usefixtures("quick")
def test_without_locks_of_the_file_system_a_live_process_of_this_machine_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "lock_file", lambda handle: False)
    with hold(tmp_path) as process:
        with pytest.raises(InputError, match=f"by process {process.pid} on"), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass


@pytest.mark.usefixtures("quick")
def test_one_that_lost_its_lock_while_it_slept_writes_no_more(tmp_path: Path) -> None:
    with locked(tmp_path):
        require_held(tmp_path)
        (tmp_path / "lock").unlink()
        with hold(tmp_path) as other:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                time.sleep(0.02)
                if lock._held[tmp_path.resolve()].taken_by is not None:
                    break
            with pytest.raises(StorageError, match=f"is written by process {other.pid} on"):
                require_held(tmp_path)
            other.kill()
    assert (tmp_path / "lock").exists()  # the other's
    require_held(tmp_path)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("left", [None, "", '{"pid": 1}'])
def test_of_many_that_want_it_at_once_one_gets_it(left: str | None, tmp_path: Path) -> None:
    if left is not None:
        (tmp_path / "lock").write_text(left)

    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:

        def attempt(_: int) -> bool:
            try:
                stack.enter_context(locked(tmp_path))
            except InputError:
                return False
            return True

        assert sum(pool.map(attempt, range(8))) == 1


def test_the_lock_of_the_system_is_taken(tmp_path: Path) -> None:
    with open(tmp_path / "a", "w") as one, open(tmp_path / "a", "w") as two:
        assert file_locks.lock_file(one.fileno()) is True
        assert file_locks.lock_file(two.fileno()) is None
