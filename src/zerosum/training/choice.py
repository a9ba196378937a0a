"""What is trained where nothing is asked for: recipe, preset, batch and stabilisers, chosen from the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from zerosum import kinds
from zerosum.config import AUTO, flag, spelt
from zerosum.data.clusters import are_clusters, is_undivided
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.stabilisers import ada
from zerosum.text import counted
from zerosum.training.build import pick_arithmetic

FEW_IMAGES = 5_000
"""Images below which what a discriminator takes is augmented (Karras et al. 2020, figure 1: it overfits there)."""


def choose(plan: RunConfig, dataset: Dataset, device: str) -> tuple[RunConfig, tuple[str, ...]]:
    """Return a plan with what it leaves open chosen, and a sentence on each reason.

    Of any recipe the preset is chosen; where no recipe was named, and for captions, also what stabilises it.

    Args:
        plan: what was asked for.
        dataset: the training data.
        device: type of the device: "cpu", "cuda" or "mps".
    """
    fitted = plan.fitted(dataset.spec, device)
    reasons = []
    if plan.recipe_is_default:
        arithmetic = f"in {_precision(fitted, dataset.spec, device)} on {device}"
        reasons.append(f"{_described(dataset)}: {_chosen(fitted, dataset.spec)}, {arithmetic}.")
    elif fitted != plan:
        unit = kinds.find(dataset.spec.kind).unit
        reasons.append(f"The preset is {_preset(fitted)}, for {unit} of {_size(dataset.spec)} on {device}.")
    stabilised = with_stabilisers(fitted, dataset.spec, len(dataset))
    if stabilised != fitted:
        reasons.append(
            f"Below {FEW_IMAGES:,} images a discriminator memorises them in the end, so that what it takes is "
            f"augmented{', as far as it does so' if stabilised.training.stabilise == 'ada' else ''} "
            f"(--stabilise {stabilised.training.stabilise})."
        )
    if plan.recipe_is_default:
        reasons.append(
            "Another one: --recipe NAME (`zerosum recipes` lists them); --explain says this and trains nothing."
        )
    return stabilised, tuple(reasons)


def with_stabilisers(plan: RunConfig, spec: Spec, count: int) -> RunConfig:
    """Return a plan with what stabilises it by default on `count` samples of a spec, where nothing was named.

    Captions are for one recipe alone: naming it is no choice against what stabilises it.
    """
    few = kinds.find(spec.kind).pictures and count < FEW_IMAGES
    if not (plan.recipe_is_default or spec.vocabulary) or not few or "stabilise" in plan.asked:
        return plan
    return replace(plan, training=replace(plan.training, stabilise=augmentation(plan, spec)))


def augmentation(plan: RunConfig, spec: Spec) -> str:
    """Return the stabiliser for few samples of a spec: ADA, which begins without, where a recipe can take it.

    A discriminator of a CPU's size is far from memorising in its first minutes, and augmenting all that it takes costs
    time and variety (decision 0206).
    """
    objective = plan.recipe_class.objective or getattr(plan.config, "loss", None)
    return "ada" if spec.shape[0] in ada.CHANNELS and objective in ada.OBJECTIVES else "diff-augment"


def explain(plan: RunConfig, reasons: Sequence[str], recipe: Recipe, device: str) -> list[str]:
    """Format what was chosen and why, the sizes of its networks and its settings as plain lines."""
    precision = _precision(plan, recipe.spec, device)
    config: dict[str, Any] = plan.config.to_json() | {"stabilise": plan.training.stabilise, "precision": precision}
    counts = {name: sum(p.numel() for p in network.parameters()) for name, network in recipe.named_children()}
    networks = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    lines = [
        *reasons,
        f"Recipe: {plan.recipe}. Parameters: {networks}.",
        f"Arithmetic: {precision}, {_why(plan, recipe.spec, device)}.",
        *_averages(plan),
        "Settings:",
    ]
    return [*lines, *(f"  {flag(name)} {spelt(value)}" for name, value in config.items() if value is not None)]


def _precision(plan: RunConfig, spec: Spec, device: str) -> str:
    kind = kinds.find(spec.kind)
    return str(pick_arithmetic(kind, torch.device(device), plan.training.precision)[0]).removeprefix("torch.")


def _why(plan: RunConfig, spec: Spec, device: str) -> str:
    """Say why the networks compute in this precision."""
    if plan.training.precision != AUTO:
        return "as asked"
    if (kind := kinds.find(spec.kind)).precision == "float32":
        return f"in which {kind.unit} are computed"
    units = (
        "for which there are units" if _precision(plan, spec, device) == "bfloat16" else "without units for bfloat16"
    )
    return f"{units} on this {device}"


def _averages(plan: RunConfig) -> list[str]:
    """Say by which settings weights are averaged, where the recipe has them."""
    config = plan.config.to_json()
    asked = " ".join(f"{flag(name)} {spelt(value)}" for name, value in config.items() if name.startswith("ema_"))
    return [f"Samples are of a running average of the weights: {asked}."] if asked else []


def _described(dataset: Dataset) -> str:
    unit, classes = kinds.find(dataset.spec.kind).unit, dataset.spec.classes
    size = f" of {_size(dataset.spec)}" if len(dataset.spec.shape) > 1 else ""
    if is_undivided(classes):
        return f"{len(dataset):,} {unit}{size}"
    called = counted(len(classes), "cluster" if are_clusters(classes) else "class")
    return f"{len(dataset):,} {unit}{size}" + (f" in {called}" if classes else _attributes(dataset))


def _attributes(dataset: Dataset) -> str:
    count = len(dataset.spec.attributes)
    return f" with {counted(count, 'attribute')}" if count else ""


def _chosen(plan: RunConfig, spec: Spec) -> str:
    preset = f", preset {_preset(plan)}" if _preset(plan) else ""
    given = "attributes" if spec.attributes else "clusters" if are_clusters(spec.classes) else "labels"
    conditional = spec.label_width and plan.recipe_class.is_conditional() and not is_undivided(spec.classes)
    labelled = f", conditioned on the {given}" if conditional else ""
    return f"{plan.recipe}{preset}{labelled}, {counted(plan.config.rounds, 'round')} of batch {plan.config.batch}"


def _preset(plan: RunConfig) -> str | None:
    return getattr(plan.config, "preset", None)


def _size(spec: Spec) -> str:
    return "x".join(map(str, spec.shape))
