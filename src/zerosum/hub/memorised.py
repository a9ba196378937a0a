"""What a run's figures of nearest neighbours say of copies of training samples."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from zerosum import text
from zerosum.evaluation.measures.memorisation import COPIES, PIXELS
from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.report.run_data import RunData
from zerosum.report.summary import distances

FIGURES = (*COPIES, *PIXELS)


def figures(evaluation: Evaluation | None) -> list[MetricResult]:
    """Return the figures of memorisation of an evaluation."""
    return [] if evaluation is None else [figure for figure in evaluation.figures if figure.metric in FIGURES]


def sheet(evidence: RunData) -> str | None:
    """Return a sentence on the distances that were measured when the run ended, or None."""
    samples, training = (distances(evidence, name) for name in ("samples", "training"))
    if not samples or not training:
        return None
    return (
        f"Mean absolute difference from {len(samples)} samples to the nearest training image, where 2 is black against "
        f"white: median {text.number(median(samples))}, least {text.number(min(samples))}; from one training image to "
        f"the next: median {text.number(median(training))}."
    )


def signs(evidence: RunData, evaluation: Evaluation | None) -> Sequence[str]:
    """Return a sentence for each figure that says that samples are copies."""
    said = [
        f"{figure.title} is {text.number(figure.value)}, and {text.number(figure.floor)} for real samples that "
        "were not trained on"
        for figure in figures(evaluation)
        if figure.notes and figure.value is not None and figure.floor is not None
    ]
    samples, training = (distances(evidence, name) for name in ("samples", "training"))
    if samples and training and median(samples) < min(training):
        said.append("half of the samples lie nearer to training images than those do to each other")
    return said
