"""Which of several values of a metric is the best, and whether any may be called so."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.run.checkpoint import played
from zerosum.run.directory import Run


def best_value(figures: Sequence[MetricResult]) -> float | None:
    """Return the best value of a metric; None where all are alike, or where it has no better and worse."""
    rank: dict[str, Callable[[float], float]] = {
        "lower": lambda value: value, "higher": lambda value: -value, "near 0.5": lambda value: abs(value - 0.5),
    }  # fmt: skip
    values = {figure.value for figure in figures if figure.value is not None}
    return min(values, key=rank[figures[0].better]) if len(values) > 1 else None


def unlike(evaluations: Sequence[Evaluation]) -> list[str]:
    """Say why no value may be called the best, a sentence each: other files, or a run that has been trained on."""
    found = [reason for evaluation in evaluations if (reason := _stale(evaluation))]
    if len({evaluation.made for evaluation in evaluations}) > 1:
        said = "; ".join(f"{each.subject}: {each.made or 'as made'}" for each in evaluations)
        found.append(f"No best is marked, because compression and resizing move the metrics, and files differ: {said}.")
    return found


def _stale(evaluation: Evaluation) -> str | None:
    run = Run(Path(evaluation.subject))
    if evaluation.round is None or not run.checkpoints():
        return None
    newest, best = int(run.latest().name), run.path / "checkpoints" / "best"
    if newest <= evaluation.round or (best.exists() and played(best) == evaluation.round):
        return None
    return (
        f"No best is marked, because {evaluation.subject} was evaluated after round {evaluation.round:,} and has been "
        f"trained to round {newest:,} since: zerosum evaluate {shlex.quote(evaluation.subject)}"
    )
