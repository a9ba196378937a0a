"""The interface of a tracker: one file of this package each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class About:
    """What a tracker is told of a run when a session begins."""

    project: str
    name: str
    settings: Mapping[str, Any]
    """Plain values by name."""


class Tracker(Protocol):
    """A session of a tracker. Its methods raise whatever the tracker's package does."""

    @property
    def session(self) -> str:
        """The id by which the session is gone on with."""
        ...

    def log(self, values: Mapping[str, float], round_: int) -> None:
        """Send what was measured at a round."""
        ...

    def picture(self, path: Path, round_: int) -> None:
        """Send a preview."""
        ...

    def summary(self, values: Mapping[str, float]) -> None:
        """Send figures of the run as it ended, in the place of earlier ones."""
        ...

    def finish(self) -> None:
        """Send what is left, and end."""
        ...
