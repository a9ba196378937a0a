"""The discriminator as feature extractor: what a linear classifier reads off its layers from few labels.

Source: Radford et al. 2016, section 5.1 (https://arxiv.org/abs/1511.06434): the maps of all layers, max-pooled to 4x4,
flattened and joined, under a regularised linear classifier.

Differs from the paper: the classifier's loss is the squared one (a least-squares SVM), whose strength of
regularisation is found by leave-one-out on the labelled samples alone; features are standardised, pixels too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.evaluation.probes.labelled_images import LabelledImages, balanced
from zerosum.metrics.repeats import RepeatedResult, repeated, shares
from zerosum.player import only_player_of
from zerosum.recipe import Recipe
from zerosum.run.load import rebuild
from zerosum.runtime import rng

GRID = 4
Features = Callable[[Tensor], Tensor]
"""Sees (N, C, H, W) uint8 images: (N, F)."""


@dataclass(frozen=True, kw_only=True)
class ProbeTrial:
    """What a linear classifier reads off a discriminator, off an untrained one, and off the pixels."""

    value: float
    """Accuracy on the trained discriminator's features, in [0, 1]."""

    discriminator: RepeatedResult
    """The same with its repeats and interval."""

    untrained: RepeatedResult
    """Accuracy on the features of the same network with fresh weights."""

    pixels: RepeatedResult
    """Accuracy on the pixels."""

    over_untrained: RepeatedResult
    """`discriminator` minus `untrained`, repeat by repeat."""

    over_pixels: RepeatedResult
    """`discriminator` minus `pixels`, repeat by repeat."""

    labels: int
    """Labelled images, equally many of each class."""

    features: int
    """Of the discriminator."""

    tested: int
    """Test images, over all repeats."""

    meaning: str
    """What the numbers say, in a sentence."""


def probe_trial(
    recipe: Recipe,
    labelled: LabelledImages,
    test: LabelledImages,
    *,
    classes: int,
    labels: int,
    repeats: int = 5,
    seed: int = 0,
) -> ProbeTrial:
    """Train linear classifiers on few labelled images, and test them on real ones.

    Each repeat has labelled images, fresh weights of the untrained network and a share of the test set of its own, the
    same images for all three.

    Args:
        recipe: trained; it is left as it is.
        labelled: real images to choose from.
        test: real images that the recipe was not trained on.
        classes: K.
        labels: labelled images; a multiple of `classes`.
        repeats: 5 or more.
        seed: of all of it.

    Raises:
        InputError: Too few images or repeats, or a recipe whose judge does not see images by themselves.
    """
    trained, width = discriminator_features(recipe), 0
    found: dict[str, list[float]] = {}
    for repeat, rows in enumerate(shares(len(test), repeats, seed=seed)):
        known = labelled[balanced(labelled.labels, labels, classes=classes, seed=seed + repeat)]
        fresh = discriminator_features(_fresh(recipe, seed + repeat))
        views = {"discriminator": trained, "untrained": fresh, "pixels": _pixels}
        for name, see in views.items():
            found.setdefault(name, []).append(_accuracy(see, known, test[rows]))
        width = trained(known.images[:1]).shape[1]
    figures = {name: repeated(values) for name, values in found.items()}
    ours = found["discriminator"]
    over = {name: repeated([a - b for a, b in zip(ours, found[name], strict=True)]) for name in ("untrained", "pixels")}
    return ProbeTrial(
        value=figures["discriminator"].value,
        **figures,
        over_untrained=over["untrained"],
        over_pixels=over["pixels"],
        labels=labels,
        features=width,
        tested=len(test),
        meaning=_meaning(figures["discriminator"], over["untrained"], over["pixels"], labels),
    )


def discriminator_features(recipe: Recipe) -> Features:
    """Return what sees images as the layers of a recipe's discriminator, or critic, do: a copy of it at rest.

    Raises:
        InputError: On seeing: the discriminator does not take images by themselves, or has no maps.
    """
    played = copy.deepcopy(recipe)
    players = played.players()
    judge = only_player_of(players, "discriminator")
    networks = [network.eval() for network in played.discriminators() or players[judge].networks]
    channels = recipe.spec.shape[0]

    @torch.no_grad()
    def see(images: Tensor) -> Tensor:
        if images.shape[1:] != recipe.spec.shape:
            raise InputError(
                f"Images {tuple(images.shape[1:])} were shown to a {judge} of images {recipe.spec.shape}; give --size "
                f"and --channels {channels} that fit."
            )
        return torch.cat([_pooled(networks, to_float(part.to(played.device)), judge) for part in images.split(250)])

    return see


def _pooled(networks: Sequence[nn.Module], images: Tensor, judge: str) -> Tensor:
    """See (N, C, H, W) through the networks, one after the other, and join the pooled maps of all layers: (N, F)."""
    maps: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.ndim == 4 and min(output.shape[2:]) > 1:
            sides = [min(GRID, side) for side in output.shape[2:]]
            maps.append(functional.adaptive_max_pool2d(output, sides).flatten(1).float().cpu())

    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, nn.LeakyReLU | nn.ReLU)]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        for network in networks:
            images = network(images)
    except (RuntimeError, TypeError):
        raise InputError(
            f"The {judge} of this recipe takes more than an image by itself, so it cannot be probed."
        ) from None
    finally:
        for hook in hooks:
            hook.remove()
    if not maps:
        raise InputError(f"The {judge} of this recipe has no layers of maps to probe; try dcgan.")
    return torch.cat(maps, dim=1)


def _fresh(recipe: Recipe, seed: int) -> Recipe:
    with rng.fork(recipe.device, seed=seed):
        return rebuild(recipe)


def _pixels(images: Tensor) -> Tensor:
    return to_float(images).flatten(1)


def _accuracy(see: Features, known: LabelledImages, test: LabelledImages) -> float:
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    strengths = np.logspace(-4, 2, 7) * see(known.images[:1]).shape[1]
    probe = make_pipeline(StandardScaler(), RidgeClassifierCV(strengths))
    probe.fit(see(known.images).numpy(), known.labels.numpy())
    return float(probe.score(see(test.images).numpy(), test.labels.numpy()))


def _meaning(trained: RepeatedResult, over_untrained: RepeatedResult, over_pixels: RepeatedResult, labels: int) -> str:
    said = (
        f"From {labels:,} labels, a linear classifier on the discriminator's features tells {trained.value:.1%} of "
        f"test images right: {over_pixels.said()} against pixels, {over_untrained.said()} against the same network "
        "untrained"
    )
    if over_untrained.interval.low > 0:
        return f"{said}; what training taught it is in these features."
    return f"{said}; that training made its features more useful is not shown."
