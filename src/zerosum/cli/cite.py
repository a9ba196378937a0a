"""`zerosum cite`: BibTeX of what a run stands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.cli.written import print_or_write
from zerosum.config import BaseConfig
from zerosum.evaluation import cite
from zerosum.run.directory import Run
from zerosum.runtime.terminal import tell


@dataclass(frozen=True, kw_only=True)
class Cite(BaseConfig):
    """Write the references of a run as BibTeX: papers of its recipe, stabilisers and metrics, and the software."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run."""

    out: Path | None = None
    """File to write; by default it is printed."""


def run(arguments: list[str]) -> None:
    """Write or print the references; what has none is named on stderr."""
    given: Cite = flags.parse(Cite, arguments, prog="zerosum cite").checked()
    text, lacking = cite.bibtex(Run.open(given.run))
    print_or_write(text, given.out)
    if lacking:
        tell(f"Without a reference here: {', '.join(lacking)}.")
