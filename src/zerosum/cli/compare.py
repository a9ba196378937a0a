"""`zerosum compare`: several runs in one table, if their numbers may stand side by side."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from zerosum.cli import flags
from zerosum.cli.written import print_or_write
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.evaluation import evaluate, table
from zerosum.evaluation.paper_table import Format, paper_table
from zerosum.evaluation.table import body, comparison_lines, comparison_remarks, head
from zerosum.runtime.terminal import say


@dataclass(frozen=True, kw_only=True)
class Compare(BaseConfig):
    """Put runs side by side that were evaluated under one protocol; numbers of different protocols are refused."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN ...")]
    """Runs that `zerosum evaluate` has evaluated, or .json files that it wrote."""

    against: str | None = None
    """Data to evaluate those of the runs against that were not evaluated yet."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""

    format: Format | None = None
    """A table for a paper: a row a method, where runs that differ in their seed alone are one, as mean and interval."""

    out: Path | None = None
    """File for the table of --format; by default it is printed."""


def run(arguments: list[str]) -> None:
    """Compare, and print the table."""
    given: Compare = flags.parse(Compare, arguments, prog="zerosum compare").checked()
    if given.out is not None and given.format is None:
        raise InputError("--out needs --format: one of latex, csv and markdown.")
    asked: dict[str, Any] = {} if given.against is None else {"against": given.against}
    found = evaluate.compare(*given.runs, recipe=given.recipe, **asked)
    if given.format is not None:
        print_or_write(paper_table(found).text(given.format), given.out)
        return
    if not sys.stdout.isatty():
        say(*comparison_lines(found))
        return
    table.show(head(found), body(found), caption="")
    say(*comparison_remarks(found))
