"""Weights & Biases. Rounds are an axis of their own, because its steps can only rise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb  # pyright: ignore[reportMissingImports]  # an extra

from zerosum.trackers.base import About


class Wandb:
    """A run of wandb."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._run.define_metric("*", step_metric="round")

    @property
    def session(self) -> str:
        """The id of the run."""
        return str(self._run.id)

    def log(self, values: Mapping[str, float], round_: int) -> None:
        """Send what was measured at a round."""
        self._run.log({**values, "round": round_})

    def picture(self, path: Path, round_: int) -> None:
        """Send a preview."""
        self._run.log({"samples": wandb.Image(str(path)), "round": round_})

    def summary(self, values: Mapping[str, float]) -> None:
        """Set figures of the run's summary."""
        self._run.summary.update(dict(values))

    def finish(self) -> None:
        """Send what is left, and end."""
        self._run.finish()


def connect(about: About, session: str | None) -> Wandb:
    """Begin a run, or go on with one."""
    return Wandb(
        wandb.init(
            project=about.project,
            name=about.name,
            config=dict(about.settings),
            id=session,
            resume="allow" if session else None,
            settings=wandb.Settings(console="off", x_disable_stats=True),
        )
    )
