"""What a run is watched by: looks at rounds, and the findings that are said while it is trained."""

from __future__ import annotations

from functools import partial
from typing import Any

from zerosum.data.dataset import Dataset
from zerosum.doctor.facts import facts_of
from zerosum.doctor.live import LiveFindings
from zerosum.doctor.watch import Watch
from zerosum.game import Game
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run
from zerosum.runtime.progress import Progress
from zerosum.training.loggers import HistoryWriter, OpenLogger
from zerosum.training.tensorboard import TensorBoardWriter


def watch_of(game: Game[Any], plan: RunConfig, dataset: Dataset) -> Watch | None:
    """Prepare the looks that a plan asks for; None where it asks for none."""
    every = plan.training.watch_every
    return Watch(game, dataset, every=every, seed=plan.training.seed) if every else None


def loggers_with_findings(directory: Run, progress: Progress) -> tuple[OpenLogger, ...]:
    """Return where measurements go: the history, TensorBoard, and last what reads the history for findings."""
    findings = partial(LiveFindings, facts=facts_of(directory.description), say=progress.note)
    return HistoryWriter, TensorBoardWriter, findings
