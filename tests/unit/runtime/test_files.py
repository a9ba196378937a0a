"""Locks, temporary names and paths: no file of a user's is touched, and one process writes at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zerosum.errors import InputError
from zerosum.evaluation.evaluate import require_place
from zerosum.inference.results import results_in, tell_of_earlier
from zerosum.runtime.atomic_files import replacing, sweep
from zerosum.runtime.lock import locked
from zerosum.runtime.paths import expanded

HOLD = "import sys, time; from pathlib import Path; from zerosum.runtime.lock import locked\n" \
       "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"  # fmt: skip


def test_a_folder_is_locked_once_and_is_free_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(InputError, match=f"by process {os.getpid()} on "), locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path):
        pass


def test_a_lock_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"by process {holder.pid} on "), locked(tmp_path):
            pass
        holder.kill()
    with locked(tmp_path):
        pass


def test_a_write_touches_its_target_alone(tmp_path: Path) -> None:
    mine = [tmp_path / name for name in ("a.png.partial", f".a.png.{os.getpid()}.partial", "a-0000.png")]
    for path in mine:
        path.write_text("mine")
    with replacing(tmp_path / "a.png") as partial:
        partial.write_text("new")
    assert {path.read_text() for path in mine} == {"mine"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([path.name for path in mine] + ["a.png"])


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".zerosum-0123").write_text("half")
    (tmp_path / ".zerosum-removed.00000010").mkdir()
    (tmp_path / ".mine").write_text("mine")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".mine"]


@pytest.mark.parametrize("name", ["photo.png", "notes.json", "list.json", "folder.json", "missing"])
def test_figures_replace_nothing_but_figures(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "folder.json":
        path.mkdir()
    elif name != "missing":
        path.write_text("[1]" if name == "list.json" else "{}")
    with pytest.raises(InputError, match=r"^--out is "):
        require_place(path)


def test_a_home_is_resolved_and_an_unknown_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert expanded("~/runs/x") == Path("/home/ann/runs/x")
    with pytest.raises(InputError, match="a home folder that is not known here"):
        expanded("~nobody-by-this-name/x")


def test_results_among_earlier_ones_are_told(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("old")
    before = results_in(tmp_path)
    said = tell_of_earlier(tmp_path, before, [tmp_path / "a.png", tmp_path / "c.png"])
    assert said == f"{tmp_path} was not empty: 1 earlier file replaced, 1 older file left beside the new ones."
    assert tell_of_earlier(tmp_path, frozenset(), [tmp_path / "a.png"]) is None
