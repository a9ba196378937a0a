"""Frechet distance, precision and recall of each class: samples generated with its label against real ones of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from zerosum.errors import InputError
from zerosum.evaluation.class_table import MARK, title_of
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import extract_stream
from zerosum.evaluation.measures import chosen
from zerosum.evaluation.result import MetricResult
from zerosum.evaluation.samples import Comparison, Reference, SampleSet
from zerosum.inference.generate import finished, stream
from zerosum.recipe import Recipe
from zerosum.text import counted, listed

ClassFigures = tuple[tuple[MetricResult, ...], tuple[str, ...]]
"""Figures, and sentences on them."""

NO_CLASSES: ClassFigures = (), ()

METRICS = ("fid", "precision", "recall")
FEWEST = 20
"""Real samples that a class needs."""
NAMED = 10
"""Classes that are named of those that were left out."""

BIASED = (
    "Per class there are few samples, and the fewer there are, the larger is a Frechet distance: compare it with that "
    "of real samples beside it, and between runs, not between classes."
)


def require_classes(recipe: Recipe, config: EvaluationConfig) -> None:
    """See that a run's samples can be evaluated class by class.

    Raises:
        InputError: its recipe generates without labels or for attributes, or no metric was asked for that is taken so.
    """
    if not recipe.takes_labels or not recipe.spec.classes:
        why = "was trained on attributes" if recipe.spec.attributes else "generates without labels"
        raise InputError(f"--per-class needs a model that generates for classes, and this one {why}: leave it out.")
    if not _names(config):
        raise InputError(
            f"--per-class takes {', '.join(METRICS)}, and --metrics {config.metrics} names none of them: add one."
        )


def class_figures(
    recipe: Recipe, comparison: Comparison, config: EvaluationConfig, context: EvaluationContext
) -> ClassFigures:
    """Compute the metrics of each class with 20 real samples or more, of as many samples generated with its label.

    Returns:
        Figures called metric:class, and sentences on what was left out and how to read them.
    """
    reference, names = comparison.reference, _names(config)
    real, other = (torch.from_numpy(np.asarray(labels)) for labels in _labels(reference))
    figures: list[MetricResult] = []
    few: dict[str, int] = {}
    for number, name in enumerate(recipe.spec.classes):
        of_class, of_other = (torch.nonzero(labels == number).flatten() for labels in (real, other))
        count = len(of_class)
        if count < FEWEST:
            few[name] = count
            continue
        world = context.world
        made = stream(recipe, count, config.seed, controls={"label": number}, rank=world.rank, world=world.size)
        fake = extract_stream(
            reference.extractor, map(partial(finished, recipe.spec), made), count=count, context=context
        )
        # Without enough other real samples there is no floor: what stands in for them is not reported.
        spare = reference.other.take(of_other[:count])
        sides = replace(reference, real=reference.real.take(of_class), other=spare if len(spare) >= FEWEST else fake)
        figures += [
            replace(
                figure,
                metric=f"{figure.metric}{MARK}{name}",
                title=title_of(figure.title, name),
                settings=f"{count:,} generated with this label, {count:,} real",
                floor=figure.floor if len(spare) >= FEWEST else None,
                notes=(),
            )
            for figure in _figures(sides, fake, names)
        ]
    return tuple(figures), (*([_left_out(few)] if few else []), *([BIASED] if figures and "fid" in names else []))


def _left_out(few: Mapping[str, int]) -> str:
    """Say which classes were left out, the smallest of many by name, each with its number of real samples."""
    smallest = [f"{name} ({count})" for name, count in sorted(few.items(), key=lambda each: each[1])]
    first = f"{counted(len(few), 'class')}, the smallest first: " if len(few) > NAMED else ""
    return (
        f"Per class, left out because they have fewer than {FEWEST} real samples here: "
        f"{first}{listed(smallest, most=NAMED)}."
    )


def _labels(reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of both real sides, in their order: (N,) and (M,) int64."""
    splits = reference.splits
    real, other = (splits.real.images, (splits.other or splits.real).images)
    assert real.labels is not None
    return real.labels[reference.rows], _other_labels(other.labels, reference.other_rows)


def _other_labels(labels: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    return np.empty(0, dtype=np.int64) if labels is None else labels[rows]


def _figures(reference: Reference, fake: SampleSet, names: Sequence[str]) -> Iterator[MetricResult]:
    """Compute metrics of the samples of a class, with floors and intervals."""
    comparison = Comparison(reference=reference, fake=fake, paired=False)
    for group in chosen(comparison, names):
        yield from (figure for figure in group.compute(comparison) if figure.metric in names)


def _names(config: EvaluationConfig) -> tuple[str, ...]:
    asked = METRICS if config.metrics is None else [name.strip().lower() for name in config.metrics.split(",")]
    return tuple(name for name in METRICS if name in asked)
