"""Networks that compare who or what images show, and their groups, for ageing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zerosum.data.batch import to_uint8
from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.data.sources import aged_digits
from zerosum.errors import InputError
from zerosum.features.classifier import Classifier, accuracy, fit
from zerosum.features.classifier_extractor import Trained, trained_on, trained_once
from zerosum.features.extractor import DifferentiableExtractor
from zerosum.features.find import find
from zerosum.kinds import open_as
from zerosum.run.config import RunConfig, read_config
from zerosum.run.directory import Run
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import AgeingRecipe
from zerosum.tasks.age import Embedding

FAMILIES = 300
"""Latents whose samples, one a class, are told apart by the network of generated families."""

SHIFT = 2
"""Pixels by which images of families are moved at most, so that a place is no identity."""

EPOCHS = 20


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What identity is compared by."""

    embedding: Embedding | None
    """Maps images in [-1, 1] to unit vectors; None for pixels."""

    sentence: str
    """What it is, and why."""


def unit_features(extractor: DifferentiableExtractor) -> Embedding:
    """Return the features of an extractor, scaled to length 1."""
    return lambda images: functional.normalize(extractor.with_gradient(images).float(), dim=1)


def training_data(plan: RunConfig, progress: ProgressCallback | None = None) -> SampleDataset:
    """Open the data that a run was trained on.

    Raises:
        InputError: they are no longer there.
    """
    return cast(SampleDataset, open_as(plan.recipe_class.data, plan.data, options=plan.options, progress=progress))


def identified(
    plan: RunConfig, identities: str | None, progress: ProgressCallback | None = None
) -> SampleDataset | None:
    """Open the data of a run with who or what each image shows as its label; None where nothing says so.

    Args:
        plan: of the run.
        identities: where that is written, as `DataConfig.labels`; None where nowhere, or for made data that know it.
        progress: told of stages.

    Raises:
        InputError: the data or the identities cannot be read.
    """
    if identities is not None:
        options = replace(plan.options, labels=identities, ages=None, groups=None)
        return cast(SampleDataset, open_as(plan.recipe_class.data, plan.data, options=options, progress=progress))
    if plan.data != aged_digits.NAME:
        return None
    dataset = training_data(plan, progress)
    return replace(
        dataset,
        labels=aged_digits.identities(plan.options.split),
        spec=replace(dataset.spec, classes=aged_digits.DIGITS, class_counts=()),
        fingerprint=key_of(dataset.fingerprint, "identities"),
    )


def identity(
    run: Path,
    recipe: AgeingRecipe,
    asked: str,
    *,
    identities: str | None = None,
    given_recipe: str | None = None,
    progress: ProgressCallback | None = None,
) -> Identity:
    """Find what identity is compared by: a network by name, or one that is trained here once and kept.

    Args:
        run: the run directory.
        recipe: its model.
        asked: "auto" is a classifier of identities where the data name them, and else one of generated families.
        identities: see `identified`.
        given_recipe: the recipe of the run, where it is from outside.
        progress: told of stages.

    Raises:
        InputError: there is no such network, or it cannot be trained on these data.
    """
    if asked == "pixels":
        return Identity(embedding=None, sentence="Identity is compared by pixels.")
    plan = read_config(Run.open(run), given_recipe)
    known = identified(plan, identities, progress) if asked in ("auto", "classifier") else None
    if asked == "classifier" and known is None:
        raise InputError(
            "--identity classifier learns from identities, and the data name none: give --identities people.csv "
            "(columns file and label), folders or name, or leave out --identity."
        )
    if known is not None:
        network = trained_on(known, cache=plan.options.cache_folder(), progress=progress, device=recipe.device)
        count, right = len(known.spec.classes), network.test_accuracy
        sentence = (
            f"Identity is compared by a classifier of {count} identities, {right:.1%} right on images it did not see."
        )
        return Identity(embedding=unit_features(network), sentence=sentence)
    if asked in ("auto", "families"):
        network, right = families(run, recipe, progress=progress)
        sentence = (
            f"Identity is compared by a classifier of {FAMILIES} generated families, one latent in every group each "
            f"({right:.1%} right on other pictures of them), because the data name no identities (--identities)."
        )
        return Identity(embedding=unit_features(_extractor(network, right)), sentence=sentence)
    dataset = training_data(plan, progress)
    found = find(asked, reference=dataset, cache=plan.options.cache_folder(), progress=progress, device=recipe.device)
    sentence = f"Identity is compared by the features {found.name}."
    return Identity(embedding=unit_features(cast(DifferentiableExtractor, found)), sentence=sentence)


def families(run: Path, recipe: AgeingRecipe, *, progress: ProgressCallback | None = None) -> tuple[Classifier, float]:
    """Train a network that tells generated families apart, whatever their group, or take the one trained before.

    A family is what a model generates from one latent in all of its groups. The network needs no labels of identities,
    and is kept in the run.

    Returns:
        The network, and the share of moved pictures of the families that it tells right.
    """
    path = _kept_at(run)

    def train() -> tuple[Classifier, float]:
        with rng.fork(recipe.device, seed=rng.derived(0, "families")), torch.no_grad():
            latents = recipe.prior(FAMILIES)
            groups = range(len(recipe.spec.classes))
            made = torch.cat([recipe.sample(FAMILIES, latent=latents, label=group).float().cpu() for group in groups])
        images, labels = to_uint8(made), torch.arange(FAMILIES).repeat(len(recipe.spec.classes))
        moved, more = (_moved(images, seed=seed) for seed in (0, 1))
        learned = torch.cat([images, moved]), labels.repeat(2)
        network = fit(*learned, classes=FAMILIES, epochs=EPOCHS, progress=progress, device=recipe.device)
        return network, accuracy(network, more, labels)

    network, right = trained_once(path, train, channels=recipe.spec.shape[0], classes=FAMILIES)
    return network.to(recipe.device), right


def kept_families(run: Path, recipe: AgeingRecipe) -> Embedding | None:
    """Return the unit features of the network of families that a run keeps; None where none was trained yet."""

    def missing() -> tuple[Classifier, float]:
        raise InputError("The network of families is not there, or damaged.")

    try:
        network, right = trained_once(_kept_at(run), missing, channels=recipe.spec.shape[0], classes=FAMILIES)
    except InputError:
        return None
    return unit_features(_extractor(network.to(recipe.device), right))


def _kept_at(run: Path) -> Path:
    """Return where a run keeps the network of families of its newest checkpoint."""
    newest = Run.open(run).latest()
    key = key_of("families", newest.name, (newest / "weights.safetensors").stat().st_size, FAMILIES, SHIFT, EPOCHS)
    return run / "identity" / f"{key}.safetensors"


def classify_groups(
    run: Path, recipe: AgeingRecipe, images: Tensor, *, given_recipe: str | None, progress: ProgressCallback | None
) -> tuple[Tensor, float]:
    """Estimate the groups of images (N, C, H, W) in [-1, 1], by a classifier of the data that a run was trained on.

    Returns:
        (N,) int64, and the classifier's accuracy on images of the data that it did not see.

    Raises:
        InputError: the data are no longer there, or too few.
    """
    plan = read_config(Run.open(run), given_recipe)
    try:
        dataset = training_data(plan, progress)
        network = trained_on(dataset, cache=plan.options.cache_folder(), progress=progress, device=recipe.device)
    except InputError as error:
        raise InputError(f"The image's group cannot be estimated: say which by --from. ({error})") from error
    if dataset.spec.classes != recipe.spec.classes:
        raise InputError(f"{plan.data} no longer has the groups that the run was trained on: say which by --from.")
    logits = network(to_uint8(images)).logits
    assert logits is not None
    return logits.argmax(1), network.test_accuracy


def _extractor(network: Classifier, right: float) -> DifferentiableExtractor:
    return Trained(network, "A classifier of generated families.", right, "generated")


def _moved(images: Tensor, *, seed: int) -> Tensor:
    """Move each image (N, C, H, W) by up to SHIFT pixels; what is uncovered repeats the edge."""
    H, W = images.shape[2:]
    padded = functional.pad(images.float(), (SHIFT,) * 4, mode="replicate").to(torch.uint8)
    at = torch.from_numpy(np.random.default_rng(seed).integers(0, 2 * SHIFT + 1, (len(images), 2)))
    return torch.stack([one[:, y : y + H, x : x + W] for one, (y, x) in zip(padded, at.tolist(), strict=True)])
