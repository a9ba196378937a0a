"""`zerosum evaluate`: how good a run, or a folder of images, is; with the protocol, a floor and intervals."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.evaluation import evaluate, table
from zerosum.evaluation.class_table import class_rows, of_all
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.result import Evaluation
from zerosum.hub import local
from zerosum.run.directory import Which
from zerosum.runtime import distributed
from zerosum.runtime.terminal import say


@dataclass(frozen=True, kw_only=True)
class Evaluate(EvaluationConfig):
    """Say how good a run, or a folder of images, is: with the protocol, what real samples get, and intervals."""

    subject: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN_OR_FOLDER")]
    """A run that `zerosum train` made, or a folder, .zip or array file of images, or a name such as digits; or a
    generator that `zerosum export` wrote as .onnx, with --against."""

    checkpoint: Which = "newest"
    """Which of a run's checkpoints: the newest, the best that `zerosum train --best` kept, or that of a round, such as
    5000; `zerosum train --keep` says how many are kept."""

    out: Path | None = None
    """A .json file for the numbers; by default evaluation.json in the run, and none for a folder."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Evaluate, and print the table."""
    given: Evaluate = flags.parse(Evaluate, arguments, prog="zerosum evaluate").checked()
    config = EvaluationConfig.read({name: getattr(given, name) for name in EvaluationConfig.names()})
    with distributed.together():
        evaluate.evaluate(
            config,
            local(given.subject),
            recipe=given.recipe,
            out=given.out,
            device=given.device,
            checkpoint=given.checkpoint,
            show=show,
        )


def show(evaluation: Evaluation) -> None:
    """Print an evaluation: ruled on a terminal, else in plain columns."""
    if not sys.stdout.isatty():
        say(*table.evaluation_lines(evaluation))
        return
    say(*evaluation.verdict)
    table.show(table.HEAD, table.rows(of_all(evaluation.figures)), caption=table.title(evaluation))
    if found := class_rows(evaluation.figures):
        table.show(found[0], found[1:], caption="Per class (in brackets real samples of it against others)")
    say(*table.evaluation_remarks(evaluation))
