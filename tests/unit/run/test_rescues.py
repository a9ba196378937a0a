"""Files of rounds that a rescue made void are set aside once, however often it is begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zerosum.errors import InputError
from zerosum.run.directory import Run
from zerosum.run.rescues import Rescue, commit, rescues_of, settle, void_values


def made(path: Path) -> Run:
    """A run of 40 rounds with a checkpoint every 10, the best of them at 30."""
    run = Run.create(path, {"config": {"lr": 1.0}, "training": {}})
    for round_ in range(10, 50, 10):
        run.log({"round": round_, "evaluation/fid": float(round_)})
        checkpoint(run.checkpoint(round_), round_)
        run.sample(round_).write_bytes(b"")
    checkpoint(run.best, 30)
    return run


def checkpoint(path: Path, round_: int) -> None:
    path.mkdir(parents=True)
    (path / "checkpoint.json").write_text(json.dumps({"round": round_}))


def rescue(to: int = 20, *, restructured: bool = False, gave_up: bool = False) -> Rescue:
    changes = {"lr": (1.0, 0.5)}
    return Rescue(
        round=40, sign="a-sign", finding="It fails.", to=to, attempt=1, changes=changes, restructured=restructured,
        gave_up=gave_up,
    )  # fmt: skip


def test_a_commit_is_settled_once(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    commit(run, rescue(), {"config": {"lr": 0.5}})
    assert [path.name for path in run.checkpoints()] == ["00000010", "00000020", "00000030", "00000040"]
    for _ in range(2):
        settle(Run.open(run.path))
    run = Run.open(run.path)
    assert [path.name for path in run.checkpoints()] == ["00000010", "00000020"]
    assert [row["round"] for row in run.history()] == [10, 20]
    assert not run.sample(30).exists()
    assert run.description["config"] == {"lr": 0.5}
    assert rescues_of(run) == [rescue()]
    assert "rolling_back" not in run.description


def test_the_best_checkpoint_and_what_was_measured_of_it_stay(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    commit(run, rescue(), {})
    settle(run)
    assert run.best.is_dir()
    assert void_values(run, "evaluation/fid") == [30, 40]


def test_a_best_checkpoint_of_other_networks_goes(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    commit(run, rescue(0, restructured=True), {})
    settle(run)
    assert not run.best.exists()
    assert run.checkpoints() == []


def test_an_end_of_all_tries_without_a_checkpoint_is_taken_back(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    commit(run, rescue(0, gave_up=True), {})
    settle(run)
    assert rescues_of(run) == []
    assert not (run.path / "history-before-rescue-1.jsonl").exists()


def test_a_list_that_was_edited_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    run.describe(run.description | {"rescues": [{"round": "x"}]})
    with pytest.raises(InputError, match="was edited"):
        rescues_of(run)
