"""Evaluation during training: the same real samples every time, values alone, and one of them chooses the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import compare_samples, reference_for_run
from zerosum.evaluation.measures import better, groups, parse_names
from zerosum.evaluation.measures.base import MetricGroup, Values, inception_title
from zerosum.evaluation.samples import Comparison, Reference
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.tasks import is_paired

USUAL = ("high-quality", "psnr", "fid", "precision")
"""Metrics taken during training where they apply, with all of their groups; the first chooses the best."""

PRINTED = {"fid": "FID", "kid": "KID", "is": "IS", "mode-score": "Mode-Score"}
"""Metrics that carry the name of their features."""


@dataclass(frozen=True, kw_only=True)
class TrainingEvaluator:
    """Evaluates a recipe while it is trained."""

    reference: Reference
    context: EvaluationContext
    groups: tuple[MetricGroup, ...]
    chooses: str
    """The metric that chooses the best checkpoint."""

    best: str
    """The name that the history keeps it under."""

    floor: str
    """A sentence on what real samples get, empty for pairs."""

    def figures(self, recipe: Recipe) -> dict[str, float]:
        """Evaluate a recipe in evaluation mode: results by the names that the history keeps them under."""
        comparison = compare_samples(recipe, self.reference, self.context)
        found = {key(name, comparison): value for name, value in _values(self.groups, comparison).items()}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def is_better(self, value: float, known: float) -> bool:
        """Whether a value of the figure `best` is better than another."""
        return value < known if better()[self.chooses] == "lower" else value > known


def watch(plan: RunConfig, recipe: Recipe, context: EvaluationContext) -> TrainingEvaluator:
    """Prepare the real samples that a run is compared with while it is trained.

    Raises:
        InputError: The features or the metric asked for are unavailable.
        StorageError: The cache cannot be written to.
    """
    training = plan.training
    config = EvaluationConfig(features=training.evaluate_features, count=training.evaluate_count, seed=training.seed)
    reference = reference_for_run(plan, recipe.spec, config, context)
    paired = is_paired(recipe)
    # What is available for real samples in the place of generated ones is available for generated ones.
    real = reference.compare(reference.other, paired=paired)
    taken = {name: group for group in groups() for name in group.names if group.unavailable(real) is None}
    chooses = _chooses(training.best, {name: group for name, group in taken.items() if group.quick is not None})
    chosen = tuple(dict.fromkeys(taken[name] for name in (*USUAL, chooses) if name in taken))
    floor = "" if paired else _floor(chosen, real)
    return TrainingEvaluator(
        reference=reference,
        context=replace(context, progress=None),  # a bar within the bar of training would hide it
        groups=chosen,
        chooses=chooses,
        best=key(chooses, real),
        floor=floor,
    )


def key(name: str, comparison: Comparison) -> str:
    """Name a figure in the history.

    >>> from types import SimpleNamespace as Some
    >>> key("fid", Some(protocol=Some(extractor="classifier"), frechet="FID"))
    'evaluation/fid-classifier'
    """
    printed = (
        inception_title(PRINTED[name], comparison.protocol.extractor, comparison.frechet) if name in PRINTED else name
    )
    return f"evaluation/{printed.lower()}"


def _chooses(asked: str | None, quick: dict[str, MetricGroup]) -> str:
    """Return the metric that chooses the best checkpoint.

    Raises:
        InputError: It is unavailable during training, or several were named.
    """
    if asked is None:
        return next(name for name in USUAL if name in quick)
    name, *more = parse_names(asked)
    if more:
        raise InputError(f"--best {asked} names several metrics, and one chooses the best checkpoint: give one.")
    if name not in quick:
        raise InputError(f"--best {asked} is unavailable for this run during training: choose of {', '.join(quick)}.")
    return name


def _values(taken: tuple[MetricGroup, ...], comparison: Comparison) -> Values:
    return {name: value for group in taken if group.quick for name, value in group.quick(comparison).items()}


def _floor(taken: tuple[MetricGroup, ...], real: Comparison) -> str:
    said = ", ".join(f"{key(name, real)} {value:.4g}" for name, value in _values(taken, real).items())
    return f"Real samples in the place of generated ones have {said}."
