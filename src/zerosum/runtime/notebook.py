"""Progress in a Jupyter notebook: one line that is updated in place, and notes that stay below it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from zerosum.runtime.progress import Status, line
from zerosum.text import one_line


class NotebookProgress:
    """One updating line of plain text, so that a notebook does not fill with lines while it trains."""

    def __init__(self, *, refresh_seconds: float = 0.5, now: Callable[[], float] = time.monotonic) -> None:
        self._handle: Any = None
        self._refresh_seconds, self._now = refresh_seconds, now
        self._last = -float("inf")

    def update(self, status: Status) -> None:
        """Write the line anew, at most twice a second; the end of a run is always written."""
        if status.round < status.rounds and self._now() - self._last < self._refresh_seconds:
            return
        self._last = self._now()
        from IPython.display import display  # pyright: ignore[reportMissingImports]  # an extra

        data = {"text/plain": line(status)}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def note(self, text: str) -> None:
        """Print one line; the next update begins a new one below it."""
        print(one_line(text))
        self._handle = None

    def close(self) -> None:
        """Nothing to tidy: the last line stays."""


def is_notebook() -> bool:
    """Whether this is the kernel of a notebook, and not a terminal."""
    shell = sys.modules.get("IPython")
    current = shell.get_ipython() if shell is not None else None
    return current is not None and hasattr(current, "kernel")
