"""Metrics by what a network sees in images, stage by stage: LPIPS of pairs, and perceptual path length."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.measures.base import POSITIVE, MetricGroup, within
from zerosum.evaluation.measures.pixels import missing_pairs, of_pairs, stand_in
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, Perceptual
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor, identity_of
from zerosum.inference.generate import draw_labels
from zerosum.metrics.lpips import Backbone, FeatureStack, PerceptualDistance, lpips, lpips_classifier
from zerosum.metrics.path_length import STEP, path_length
from zerosum.runtime.paths import expanded
from zerosum.tasks import has_latents, require_latents

LPIPS: dict[str, Better] = {"lpips": "lower"}
PATH: dict[str, Better] = {"ppl": "lower"}

BACKBONES = ("alex", "vgg")
PAIRS = 500
"""Pairs of latents: a minute; published figures take 50,000."""

GIVE = "give a backbone, --perceptual alex:WEIGHTS or vgg:WEIGHTS"


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(names=LPIPS, unavailable=_missing_backbone, compute=_compute_pairs),
        MetricGroup(names=PATH, unavailable=_missing_path, compute=_compute_path, cost="minutes"),
    )


def perceptual_distance(
    config: EvaluationConfig, dataset: SampleDataset, extractor: Extractor | None, device: torch.device
) -> Perceptual | None:
    """Return LPIPS with the backbone that is asked for, or else the stages of the classifier that sees the features.

    Raises:
        InputError: There is no such backbone or file, a file holds something else, or the data are no images.
    """
    if config.perceptual is None:
        if config.perceptual_heads is not None:
            raise InputError(f"--perceptual-heads {config.perceptual_heads} are of a backbone: {GIVE}.")
        if not isinstance(extractor, Trained):
            return None
        sees = f"every channel weighs 1, weights {extractor.identity[:8]}"
        return Perceptual(distance=lpips_classifier(extractor.stages), sees=sees, device=device)
    kind = kinds.find(dataset.spec.kind)
    if not kind.pictures:
        raise InputError(
            f"--perceptual {config.perceptual} is of images, and {dataset.source} has {kind.unit}: leave it."
        )
    distance = load_backbone(config.perceptual, config.perceptual_heads, device)
    stack, learned = cast("FeatureStack", distance.stages), distance.heads or ()
    digest = identity_of(stack.state_dict() | {f"head{stage}": values for stage, values in enumerate(learned)})
    return Perceptual(distance=distance, sees=f"version 0.1, weights {digest[:8]}", device=device)


def load_backbone(given: str, heads: str | None, device: torch.device) -> PerceptualDistance:
    """Return LPIPS with a backbone, alex:WEIGHTS or vgg:WEIGHTS.

    Raises:
        InputError: there is no such backbone or file, or a file holds something else.
    """
    name, _, weights = given.partition(":")
    if name not in BACKBONES or not weights:
        raise InputError(f"--perceptual {given} is no backbone with its weights: {GIVE}.")
    backbone = cast("Backbone", name)
    return lpips(backbone, weights=expanded(weights), heads=_heads(backbone, heads), device=str(device))


def _heads(backbone: Backbone, given: str | None) -> Path:
    """Return the file of the learned weights of a backbone's channels."""
    if given is not None:
        return expanded(given)
    kept = os.environ.get("ZEROSUM_DATA")
    found = expanded(kept) / "weights" / "lpips_v0.1" / f"{backbone}.pth" if kept else None
    if found is None or not found.is_file():
        where = "$ZEROSUM_DATA/weights/lpips_v0.1" if found is None else found.parent
        raise InputError(
            f"--perceptual {backbone} needs the learned weights of LPIPS's channels: put {backbone}.pth of version 0.1 "
            f"into {where}, or give its path: --perceptual-heads FILE."
        )
    return found


def _missing_backbone(comparison: Comparison) -> str | None:
    if (reason := missing_pairs(comparison)) is not None:
        return reason
    return GIVE if comparison.reference.perceptual is None else None


def _compute_pairs(comparison: Comparison) -> list[MetricResult]:
    eye = _eye(comparison)

    def apart(made: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"lpips": eye(made, target)}

    titles, units = {"lpips": f"LPIPS-{eye.suffix}"}, {"lpips": eye.sees}
    return of_pairs(comparison, apart, LPIPS, titles=titles, units=units, notes=stand_in(comparison, apart, titles))


def _missing_path(comparison: Comparison) -> str | None:
    if comparison.fake.images is None:
        return f"it is of images, and these are {comparison.unit}"
    if not has_latents(comparison.recipe):
        return "it walks among latents, so it needs a run of a recipe that makes samples from them, such as dcgan"
    if comparison.reference.perceptual is None:
        return f"{GIVE}, or, for labelled data, --features classifier"
    return None


def _compute_path(comparison: Comparison) -> list[MetricResult]:
    assert comparison.recipe is not None
    recipe, eye = require_latents(comparison.recipe), _eye(comparison)

    def generate(latents: Tensor) -> Tensor:
        n = len(latents) // 2  # the first halves of the steps and then the second ones, which have the same labels
        labels = draw_labels(recipe.spec, n, comparison.protocol.seed) if recipe.takes_labels else None
        given = {} if labels is None else {"labels": torch.cat([labels, labels])}
        return recipe.sample(len(latents), latent=latents, **given).clamp(-1, 1)

    found = path_length(
        generate,
        recipe.prior,
        eye,
        distance_name=eye.distance.name,
        between=recipe.between,
        pairs=PAIRS,
        batch=min(50, PAIRS),
        device=recipe.device,
        seed=comparison.protocol.seed,
    )
    published = "published path lengths are of VGG16 with LPIPS's weights and of other sizes and crops"
    figure = MetricResult(
        metric="ppl",
        title=f"PPL-{eye.suffix}",
        value=finite(found.value),
        better="lower",
        settings=(
            f"{found.pairs} pairs of latents, {recipe.between.__name__}, steps of {STEP:g} anywhere on the way, "
            f"float32, the {found.kept} between the 1st and 99th percentile; {eye.sees}"
        ),
        interval=within(found.interval, found.value, POSITIVE, count=found.pairs),
        notes=(found.meaning, f"It compares only with figures of the same network: {published}."),
    )
    return [figure]


def _eye(comparison: Comparison) -> Perceptual:
    assert comparison.reference.perceptual is not None
    return comparison.reference.perceptual
