"""Metrics by what a network sees in images, stage by stage: LPIPS of pairs, and perceptual path length."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.measures.base import MetricGroup
from zerosum.evaluation.measures.pixels import missing_pairs, of_pairs, stand_in
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, Perceptual
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor, identity_of
from zerosum.metrics.lpips import Backbone, FeatureStack, lpips, lpips_classifier
from zerosum.metrics.path_length import STEP, path_length
from zerosum.recipe import Recipe
from zerosum.runtime.paths import expanded
from zerosum.tasks import Interpolable

LPIPS: dict[str, Better] = {"lpips": "lower"}
PATH: dict[str, Better] = {"ppl": "lower"}

BACKBONES = ("alex", "vgg")
PAIRS = 500
"""Pairs of latents: a minute; published figures take 50,000."""

GIVE = "give a backbone, --perceptual alex:WEIGHTS or vgg:WEIGHTS"


def families() -> tuple[MetricGroup, ...]:
    """Return the families of this file."""
    return (
        MetricGroup(names=LPIPS, unavailable=_missing_backbone, compute=_judge_pairs),
        MetricGroup(names=PATH, unavailable=_missing_path, compute=_judge_path, cost="minutes"),
    )


def perceptual_distance(
    question: EvaluationConfig, dataset: Dataset, extractor: Extractor | None, device: torch.device
) -> Perceptual | None:
    """Return LPIPS with the backbone that is asked for, or else the stages of the classifier that sees the features.

    Raises:
        InputError: There is no such backbone or file, a file holds something else, or the data are points.
    """
    if question.perceptual is None:
        if question.perceptual_heads is not None:
            raise InputError(f"--perceptual-heads {question.perceptual_heads} are of a backbone: {GIVE}.")
        if not isinstance(extractor, Trained):
            return None
        sees = f"every channel weighs 1, weights {extractor.identity[:8]}"
        return Perceptual(distance=lpips_classifier(extractor.stages), sees=sees, device=device)
    if dataset.spec.is_points:
        raise InputError(f"--perceptual {question.perceptual} sees images, and {dataset.source} has points: leave it.")
    name, _, weights = question.perceptual.partition(":")
    if name not in BACKBONES or not weights:
        raise InputError(f"--perceptual {question.perceptual} is no backbone with its weights: {GIVE}.")
    backbone = cast("Backbone", name)
    heads = _heads(backbone, question.perceptual_heads)
    distance = lpips(backbone, weights=expanded(weights), heads=heads, device=str(device))
    stack, learned = cast("FeatureStack", distance.stages), distance.heads or ()
    digest = identity_of(stack.state_dict() | {f"head{stage}": values for stage, values in enumerate(learned)})
    return Perceptual(distance=distance, sees=f"version 0.1, weights {digest[:8]}", device=device)


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


def _missing_backbone(evidence: Comparison) -> str | None:
    if (reason := missing_pairs(evidence)) is not None:
        return reason
    return GIVE if evidence.reference.perceptual is None else None


def _judge_pairs(evidence: Comparison) -> list[MetricResult]:
    eye = _eye(evidence)

    def apart(made: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"lpips": eye(made, target)}

    titles, units = {"lpips": f"LPIPS-{eye.suffix}"}, {"lpips": eye.sees}
    return of_pairs(evidence, apart, LPIPS, titles=titles, units=units, notes=stand_in(evidence, apart, titles))


def _missing_path(evidence: Comparison) -> str | None:
    if evidence.fake.images is None:
        return "it looks at images, and these are points"
    if not isinstance(evidence.recipe, Interpolable):
        return "it walks among latents, so it needs a run of a recipe that makes samples from them, such as dcgan"
    if evidence.reference.perceptual is None:
        return f"{GIVE}, or, for labelled data, --features classifier"
    return None


def _judge_path(evidence: Comparison) -> list[MetricResult]:
    recipe, eye = evidence.recipe, _eye(evidence)
    assert isinstance(recipe, Interpolable)
    assert isinstance(recipe, Recipe)
    found = path_length(
        lambda latents: recipe.sample(len(latents), latent=latents).clamp(-1, 1),
        recipe.prior,
        eye,
        distance_name=eye.distance.name,
        between=recipe.between,
        pairs=PAIRS,
        batch=min(50, PAIRS),
        device=recipe.device,
        seed=evidence.protocol.seed,
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
        interval=found.interval,
        notes=(found.meaning, f"It compares only with figures of the same network: {published}."),
    )
    return [figure]


def _eye(evidence: Comparison) -> Perceptual:
    assert evidence.reference.perceptual is not None
    return evidence.reference.perceptual
