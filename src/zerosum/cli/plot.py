"""`zerosum plot`: curves of runs as a vector file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.report import plot
from zerosum.run.directory import Run
from zerosum.runtime.terminal import say


@dataclass(frozen=True, kw_only=True)
class Plot(BaseConfig):
    """Draw curves of one run or several, smoothed over the raw values, as .pdf, .svg or .png."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN ...")]
    """Runs that `zerosum train` made."""

    curves: str | None = None
    """Columns of history.jsonl, with commas between, such as generator/loss; by default all losses."""

    out: Path = Path("curves.pdf")
    """File to write."""


def run(arguments: list[str]) -> None:
    """Draw, and say where."""
    given: Plot = flags.parse(Plot, arguments, prog="zerosum plot").checked()
    names = [name.strip() for name in (given.curves or "").split(",") if name.strip()]
    say(f"Written: {plot.save([Run.open(path) for path in given.runs], given.out, names)}")
