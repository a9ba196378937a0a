"""`zerosum report`: a run's report.html, written again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum import report
from zerosum.cli import flags
from zerosum.run.directory import Run
from zerosum.runtime.terminal import say


@dataclass(frozen=True)
class Report:
    """Write a run's report.html again."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""


def run(arguments: list[str]) -> None:
    """Write the report and say where it is."""
    given = flags.parse(Report, arguments, prog="zerosum report")
    say(report.write(Run.open(given.run).path))
