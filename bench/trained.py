"""A contestant that is `zerosum train` itself, held at its logs for its turns."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.race import Watch, answer
from zerosum import api


class Turns:
    """A progress display that waits for the race's next command.

    Args:
        logs: in a turn.
        work: done in a turn.
        warm_up: logs before the first turn.
    """

    def __init__(self, logs: int, work: float, warm_up: int = 1) -> None:
        self.left, self.logs, self.work = warm_up, logs, work
        self.watch: Watch | None = None

    def update(self, status: object) -> None:
        """Count a log; at the end of a turn answer, and wait for the next."""
        self.left -= 1
        if self.left:
            return
        answer({"ready": True} if self.watch is None else self.watch.read() | {"work": self.work})
        if not sys.stdin.readline():
            raise SystemExit
        self.left, self.watch = self.logs, Watch()

    def note(self, text: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Do nothing."""


def train(data: str | Path, recipe: str, *, steps: int, work: float, log_every: int, **settings: Any) -> None:
    """Train for ever, with a turn of `steps` rounds at a time; pictures and checkpoints never come."""
    rare: dict[str, Any] = {
        "rounds": 10**6,
        "save_every": 10**6,
        "preview_every": 10**6,
        "log_every": log_every,
    } | settings
    with tempfile.TemporaryDirectory() as folder:
        turns = Turns(steps // log_every, work)
        api.train(data, recipe=recipe, run=Path(folder) / "run", progress=turns, **rare)
