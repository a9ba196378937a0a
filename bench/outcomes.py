"""How the runs of a benchmark end, by a measure of their samples and not by what was meant.

A run fails

- where a loss or a weight was no longer finite, so that no checkpoint is left;
- on points: where fewer than 7 of 8 modes are found by 2,500 samples, or fewer than half as many of them lie within 3
  sigma of a mode as of a perfect sampler's;
- on images: where the samples have less than a quarter of the coverage, or more than ten times the Frechet distance,
  that real images have, by the features of a classifier of the data's labels;
- of a recipe that generates for classes: where that classifier puts fewer than half of the images in the class that was
  asked for.

Every other run is healthy. Samples are made by the running average of the weights, as `zerosum sample` makes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum import api
from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.features.classifier_extractor import LEARNED, Trained, trained_on
from zerosum.inference.generate import draw_labels, finished, generate
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.modes import ceiling, mixture_modes
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike

MODES, QUALITY = 7 / 8, 1 / 2
COVERAGE, DISTANCE, OBEDIENCE = 1 / 4, 10.0, 1 / 2
POINTS, IMAGES = 2_500, 450
"""Samples; images are compared with as many real ones."""

RULE = (
    "A run fails whose weights are not finite; on points one that finds fewer than 7 of 8 modes, or whose samples lie "
    "near a mode less than half as often as a perfect sampler's; on images one with less than a quarter of the "
    "coverage or more than ten times the Frechet distance of real ones (features of a classifier of the labels), or, "
    "where it generates for classes, one with fewer than half of its images in the class asked for."
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    fails: bool
    measured: str
    """The figures that say so; of real samples in brackets."""
    badness: float = math.inf
    """1 is perfect: of images the Frechet distance over that of real ones; of points one over the share of modes that
    are found times that of samples near one."""


@dataclass(frozen=True, kw_only=True)
class RealImages:
    """What the samples of a size are compared with."""

    classifier: Trained
    features: Tensor
    """(450, 128) of images that the classifier has not learned."""
    coverage: float
    distance: float
    """Of 450 other real images."""


def outcome(run: Path, data: str, *, recipe: RecipeLike | None = None) -> Outcome:
    """Measure how a run ended.

    Args:
        run: its directory.
        data: the name or place of the data that its samples should be like.
        recipe: for a run of a recipe of one's own.
    """
    try:
        model = api.load(run, recipe=recipe, device="cpu")
    except InputError:
        return Outcome(fails=True, measured="no finite weights")
    if not all(bool(torch.isfinite(weight).all()) for weight in model.state_dict().values()):
        return Outcome(fails=True, measured="no finite weights")
    return _of_points(model, data) if model.spec.kind == "points" else _of_images(model, data)


def _of_points(recipe: Recipe, data: str) -> Outcome:
    centres, sigma = toys.modes(data)
    count = mixture_modes(
        finished(recipe.spec, generate(recipe, POINTS, 0, chunk=500)), torch.as_tensor(centres).float(), sigma=sigma
    )
    perfect = ceiling(count.modes, POINTS, within=3.0)
    near = f"{count.high_quality:.0%} near one ({perfect.high_quality:.0%})"
    return Outcome(
        fails=count.found < MODES * count.modes or count.high_quality < QUALITY * perfect.high_quality,
        measured=f"{count.found} of {count.modes} modes, {near}",
        badness=1 / max(count.found / count.modes * count.high_quality / perfect.high_quality, 1e-4),
    )


def _of_images(recipe: Recipe, data: str) -> Outcome:
    real = real_images(data, recipe.spec.shape[-1])
    images = finished(recipe.spec, generate(recipe, IMAGES, 0, chunk=IMAGES))[:, :1]
    seen = real.classifier(images)
    coverage = fidelity_diversity(real.features, seen.features).coverage
    distance = frechet_distance_of_features(real.features, seen.features).value
    fails = coverage < COVERAGE * real.coverage or distance > DISTANCE * real.distance
    measured = f"coverage {coverage:.2f} ({real.coverage:.2f}), distance {distance:.1f} ({real.distance:.1f})"
    if recipe.takes_labels and len(recipe.spec.classes) > 1:
        asked = draw_labels(recipe.spec, IMAGES, 0)
        obeyed = float((seen.logits.argmax(1) == asked).double().mean())  # type: ignore[union-attr]
        fails = fails or obeyed < OBEDIENCE
        measured += f", {obeyed:.0%} of the class asked for"
    return Outcome(fails=fails, measured=measured, badness=distance / real.distance)


@cache
def real_images(data: str, size: int) -> RealImages:
    """Train a classifier of some data at a size, or take the one that was, and measure real images by it."""
    options = DataConfig(size=str(size))
    dataset = open_data(data, options=options)
    classifier = trained_on(dataset, cache=options.cache_folder())
    fresh = np.random.default_rng(0).permutation(np.delete(np.arange(len(dataset)), np.s_[LEARNED]))
    half = min(IMAGES, len(fresh) // 2)
    features, others = (classifier(dataset.real(rows)).features for rows in (fresh[:half], fresh[half : 2 * half]))
    return RealImages(
        classifier=classifier,
        features=features,
        coverage=fidelity_diversity(features, others).coverage,
        distance=frechet_distance_of_features(features, others).value,
    )
