"""Where measurements go: any number of loggers, opened once a sitting and closed however it ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recipes.conftest import game, sides
from zerosum.run.directory import Run
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime.progress import Progress, Silent, Status
from zerosum.training.loggers import HistoryWriter
from zerosum.training.trainer import Trainer


class Kept:
    """Keeps rows in a list."""

    def __init__(self, run: Run, *, after: int) -> None:
        self.after, self.rows, self.closed = after, [], 0
        OPENED.append(self)

    def log(self, row: Mapping[str, Any]) -> None:
        self.rows.append(dict(row))

    def close(self) -> None:
        self.closed += 1


OPENED: list[Kept] = []


class Killed(Silent):
    def update(self, status: Status) -> None:
        raise KeyboardInterrupt


def play(run: Run, progress: Progress) -> None:
    playing = game("gan", (2,), rounds=4)
    preview = sides("gan", (2,)).batch(np.arange(4))
    Trainer(playing, run, TrainingConfig(log_every=2), preview, progress, loggers=[HistoryWriter, Kept]).train()


def test_every_logger_gets_the_rows_of_the_history_and_is_closed(tmp_path: Path) -> None:
    OPENED.clear()
    run = Run.create(tmp_path / "run", {})
    play(run, Silent())
    (kept,) = OPENED
    assert kept.rows == list(run.history())
    assert [row["round"] for row in kept.rows] == [2, 4]
    assert all(row["generator/gradient_norm"] > 0 for row in kept.rows)
    assert (kept.after, kept.closed) == (0, 1)
    assert not list(run.path.glob("events*")), "no TensorBoard was asked for"


def test_a_kill_closes_them_too(tmp_path: Path) -> None:
    OPENED.clear()
    with pytest.raises(KeyboardInterrupt):
        play(Run.create(tmp_path / "run", {}), Killed())
    assert OPENED[0].closed == 1
