"""Trackio. Tested against a stand-in, because it needs an older pillow than zerosum is tested with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trackio  # pyright: ignore[reportMissingImports]  # an extra

from zerosum.trackers.base import About


class Trackio:
    """A run of trackio, which goes on with runs by their names."""

    def __init__(self, run: Any, session: str) -> None:
        self._run, self.session = run, session

    def log(self, values: Mapping[str, float], round_: int) -> None:
        """Send what was measured at a round."""
        self._run.log(dict(values), step=round_)

    def picture(self, path: Path, round_: int) -> None:
        """Send a preview."""
        self._run.log({"samples": trackio.Image(str(path))}, step=round_)

    def summary(self, values: Mapping[str, float]) -> None:
        """Send figures."""
        self._run.log(dict(values))

    def finish(self) -> None:
        """Send what is left, and end."""
        self._run.finish()


def connect(about: About, session: str | None) -> Trackio:
    """Begin a run, or go on with one."""
    name = session or about.name
    run = trackio.init(
        project=about.project, name=name, config=dict(about.settings), resume="allow" if session else "never"
    )
    return Trackio(run, str(getattr(run, "name", name)))
