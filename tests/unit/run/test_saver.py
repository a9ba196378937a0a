"""Checkpoints are written while the training goes on, of the state that was taken."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.errors import StorageError
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.run.saver import Saver


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", {})


def played(rounds: int) -> Any:
    playing = game("gan", (2,))
    for _ in range(rounds):
        playing.recipe.round(playing)
        playing.end_round()
    return playing


def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let checkpoints be written only once the event is set."""
    go, real = threading.Event(), checkpoint.write_files

    def late(*arguments: Any) -> None:
        assert go.wait(30)
        real(*arguments)

    monkeypatch.setattr(checkpoint, "write_files", late)
    return go


def test_the_game_goes_on_while_a_checkpoint_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    go, playing = held(monkeypatch), played(1)
    before = {name: value.clone() for name, value in playing.recipe.state_dict().items()}
    with Saver(run, keep=1) as saving:
        saving.save(playing)
        playing.recipe.round(playing)
        assert not run.checkpoints()
        go.set()
    found = game("gan", (2,), seed=9)
    checkpoint.restore(run.latest(), found, run=run)
    assert found.clock.round == 1
    for name, value in found.recipe.state_dict().items():
        assert torch.equal(value, before[name])
    assert any(not torch.equal(value, before[name]) for name, value in playing.recipe.state_dict().items())


def test_all_is_written_in_order_and_old_ones_are_dropped(run: Run) -> None:
    playing = played(1)
    with Saver(run, keep=2) as saving:
        for _ in range(4):
            saving.save(playing)
            playing.end_round()
        saving.save_best(playing)
    assert [path.name for path in run.checkpoints()] == ["00000003", "00000004"]
    assert checkpoint.played(run.best) == 5


def test_a_disk_that_refuses_is_said_by_the_next_or_at_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(checkpoint, "write_files", full)
    playing = played(1)
    with pytest.raises(StorageError, match="full"), Saver(run, keep=2) as saving:
        saving.save(playing)
    saving = Saver(run, keep=2)
    saving.save(playing)
    with pytest.raises(StorageError, match="full"):
        saving.save(playing)


def test_threads_end_with_it(run: Run) -> None:
    with Saver(run, keep=1) as saving:
        saving.save(played(1))
    assert not [each for each in threading.enumerate() if each.name.startswith("saver")]
