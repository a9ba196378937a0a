"""`zerosum follow`: a run's curves, pictures and figures to wandb, mlflow or trackio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import PositiveFloat

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.run.directory import Run
from zerosum.runtime.terminal import say, tell
from zerosum.text import counted
from zerosum.trackers.follow import follow


@dataclass(frozen=True, kw_only=True)
class Follow(BaseConfig):
    """Send a run to a tracker of experiments, while it is trained or after, each line once; training never waits."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made. What was sent is kept in its follow.json."""

    to: Literal["wandb", "mlflow", "trackio"]
    """The tracker, which is set up as its own documentation says."""

    project: str = "zerosum"
    """What it is filed under there."""

    every: PositiveFloat = 5.0
    """Seconds between looks while the run is trained."""


def run(arguments: list[str]) -> None:
    """Send what there is, and what comes while the run is trained.

    Raises:
        InputError: no run, or the tracker's package is not installed.
        TrackerError: the tracker refuses.
    """
    given: Follow = flags.parse(Follow, arguments, prog="zerosum follow").checked()
    done = follow(Run.open(given.run), to=given.to, project=given.project, every=given.every, note=tell)
    say(f"{counted(done.rows, 'line')} and {counted(done.pictures, 'picture')} sent to {given.to}")
