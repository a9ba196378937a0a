"""Progress display: a live table on a terminal, plain lines in a log, all on stderr.

Progress never ends the work that it is of: what cannot be written is dropped.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from zerosum.runtime.terminal import BestEffortStream
from zerosum.text import duration, number, one_line

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Status:
    """Where a run stands."""

    round: int
    """Rounds played."""

    rounds: int
    """Rounds the run will have at its end."""

    phase: str
    """Name of the phase being played."""

    seen: int
    """Real samples drawn, over all processes."""

    images_per_second: float
    """Current speed, over all processes."""

    seconds_left: float
    """Estimate; infinite while nothing is known."""

    values: Mapping[str, float] = field(default_factory=dict)
    """What was logged last: "player/name" -> value."""

    unit: str = "images"
    """What real samples are called: images, points, clips."""


class Progress(Protocol):
    """Displays the progress of a run."""

    def update(self, status: Status) -> None:
        """Store the status; draw it when it is time to."""
        ...

    def note(self, text: str) -> None:
        """Say one line that must not be missed, now."""
        ...

    def close(self) -> None:
        """Restore the terminal; harmless when called twice."""
        ...


def make_progress(stream: TextIO | None = None) -> Progress:
    """Return the display that suits `stream`, stderr by default: live on a terminal or in a notebook, else lines."""
    from zerosum.runtime.notebook import NotebookProgress, is_notebook

    if stream is None and is_notebook():
        return NotebookProgress()
    shown_on = stream or sys.stderr
    if shown_on is None:  # as under pythonw
        return Silent()
    if BestEffortStream(shown_on).isatty() and os.environ.get("TERM") != "dumb":
        return Live(shown_on)
    return Plain(shown_on)


def headline(values: Mapping[str, float]) -> dict[str, float]:
    """Pick the most important values: each player's loss, and the accuracies on real and fake samples.

    With one discriminator its accuracies are called "real" and "fake"; with several, the player's name comes before.

    >>> headline({"discriminator/loss": 1.2, "discriminator/real_accuracy": 0.7, "discriminator/real": 3.1})
    {'discriminator': 1.2, 'real': 0.7}
    """
    shown = {key.removesuffix("/loss"): value for key, value in values.items() if key.endswith("/loss")}
    for side in ("real", "fake"):
        found = {key.rpartition("/")[0]: value for key, value in values.items() if key.endswith(f"/{side}_accuracy")}
        for player, value in found.items():
            shown[side if len(found) == 1 else f"{player} {side}"] = value
    return shown


class Plain:
    """One line every so often, for logs and pipes."""

    def __init__(
        self, stream: TextIO, *, interval_seconds: float = 10.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = BestEffortStream(stream)
        self._interval_seconds = interval_seconds
        self._now = now
        self._last = -float("inf")

    def update(self, status: Status) -> None:
        """Write a line if the last one is older than the interval, or if the run has reached its end."""
        if status.round >= status.rounds or self._now() - self._last >= self._interval_seconds:
            self._last = self._now()
            self.note(line(status))

    def note(self, text: str) -> None:
        """Write one line now."""
        print(one_line(text), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing to tidy: every line is complete when written."""


class Silent:
    """Nothing: for the processes of a run that are not the first."""

    def update(self, status: Status) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


def progress_callback(progress: Progress, *, interval_seconds: float = 5.0) -> Callable[[str, int, int], None]:
    """Turn counts of a long task into notes, one every so often: the callback that `data.open` takes."""
    begun = last = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal begun, last
        now = time.monotonic()
        if done == 0:
            begun = now
        if now - last >= interval_seconds and done:
            last = now
            left = duration((total - done) * (now - begun) / done)
            progress.note(f"{stage} {done:,}" + (f"/{total:,}  {left} left" if total else ""))

    return tell


def line(status: Status) -> str:
    """Say a status in one line of plain text.

    >>> line(Status(round=12, rounds=20, phase="main", seen=1536, images_per_second=251.2, seconds_left=720,
    ...             values={"generator/loss": 0.83}))
    'round 12/20  1,536 images  251 images/s  12 min left  generator 0.83'
    """
    parts = [
        f"round {status.round}/{status.rounds}",
        *([] if status.phase == "main" else [f"phase {status.phase}"]),
        f"{status.seen:,} {status.unit}",
        f"{number(status.images_per_second)} {status.unit}/s",
        _time_left(status),
        *(f"{name} {number(value)}" for name, value in headline(status.values).items()),
    ]
    return "  ".join(parts)


def _time_left(status: Status) -> str:
    """Say how long the run will still take, as far as that is known."""
    if not math.isfinite(status.seconds_left):
        return "time left unknown"
    return f"{duration(status.seconds_left)} left"


class Live:
    """A bar and a small table that stay in place, for terminals of any width."""

    def __init__(self, stream: TextIO, *, width: int | None = None, refresh_seconds: float = 0.1) -> None:
        from rich.console import Console
        from rich.live import Live as Display

        # Redrawn by `update` alone: a drawing thread would not survive the fork of data workers.
        console = Console(file=cast(TextIO, BestEffortStream(stream)), width=width)
        self._display = Display(console=console, auto_refresh=False)
        self._refresh_seconds = refresh_seconds
        self._last = -float("inf")
        self._closed = False

    def update(self, status: Status) -> None:
        """Redraw, at most ten times a second; the end of a run is always drawn."""
        if self._closed:
            return
        if not self._display.is_started:
            self._display.start()
        now = time.monotonic()
        due = now - self._last >= self._refresh_seconds or status.round >= status.rounds
        if due:
            self._last = now
        self._display.update(_picture(status), refresh=due)

    def note(self, text: str) -> None:
        """Print one line above the table."""
        from rich.text import Text

        self._display.console.print(Text(one_line(text)))

    def close(self) -> None:
        """Draw the last status and give the terminal back."""
        if not self._closed:
            self._closed = True
            self._display.stop()


def _picture(status: Status) -> RenderableType:
    """Draw a status: where the run stands, a bar, and a line of values that wraps on narrow terminals."""
    from rich.columns import Columns
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    where = Text.assemble(
        (f"round {status.round:,}", "bold"),
        f" of {status.rounds:,}",
        "" if status.phase == "main" else f"  phase {status.phase}",
        (f"  {_time_left(status)}", "cyan"),
    )
    speed = Text(f"{status.seen:,} {status.unit} at {number(status.images_per_second)} a second", style="dim")
    values = [
        Text.assemble((f"{name} ", "dim"), (number(value), "bold")) for name, value in headline(status.values).items()
    ]
    bar = ProgressBar(max(1, status.rounds), status.round, complete_style="cyan", finished_style="green")
    picture = Table.grid(expand=True)
    for row in (where, bar, speed, *([Columns(values, padding=(0, 3))] if values else [])):
        picture.add_row(row)
    return picture
