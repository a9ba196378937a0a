"""Where the trainer writes what it measures: one class a destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from zerosum.run.directory import Run


class Logger(Protocol):
    """Takes a row every `log_every` rounds: "round", "phase", "seen" and so on, and measurements as "player/term"."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Write a row."""
        ...

    def close(self) -> None:
        """Write what is not written yet; no row comes after."""
        ...


class OpenLogger(Protocol):
    """Opens a logger in the first process when a sitting begins."""

    def __call__(self, run: Run, *, after: int) -> Logger:
        """Open it for the rounds after `after`; what an earlier sitting wrote of those is void."""
        ...


class HistoryWriter:
    """Appends rows to the run's history.jsonl."""

    def __init__(self, run: Run, *, after: int) -> None:
        self._run = run

    def log(self, row: Mapping[str, Any]) -> None:
        """Write a row."""
        self._run.log(row)

    def close(self) -> None:
        """Do nothing: each row was written whole."""
