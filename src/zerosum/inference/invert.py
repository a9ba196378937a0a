"""Inversion: the latent whose sample is nearest to an image, by gradient descent.

Source: Lipton & Tripathi 2017 (https://arxiv.org/abs/1702.04782); Zhu et al. 2016, section 3.1
(https://arxiv.org/abs/1609.03552).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.batch import to_float, to_uint8
from zerosum.data.packing.bit_depth import range_of_side
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.rows import render
from zerosum.data.packing.scan import attempt, survey
from zerosum.errors import InputError
from zerosum.inference.generate import CHUNK, draw_labels
from zerosum.inference.image_files import inputs_at, require_pictures
from zerosum.metrics.psnr_ssim import psnr
from zerosum.optim.adam import Adam
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import GenerativeRecipe, condition, label_of, require_latents

Distance = Callable[[Tensor, Tensor], Tensor]
"""Compares images (N, C, H, W) in [-1, 1] with as many others, with a gradient: (N,)."""

DRAWS = 64
"""Draws of the prior, of which the nearest is where the descent starts."""

RATE = 0.05
"""Adam's first learning rate, which falls to 0 along half a cosine."""


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """The result of an inversion."""

    latent: Tensor
    """(1, Z)."""

    sample: Tensor
    """(1, C, H, W) in [-1, 1]: what is generated there."""

    label: str | None
    """The class of the sample, or its attributes with commas between; None for a model without labels."""

    start: float
    """Distance of the nearest draw."""

    distance: float
    """Distance of the sample."""

    psnr: float
    """Peak signal-to-noise ratio of the sample, decibels."""


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of images (N, C, H, W) in [-1, 1]: (N,)."""
    return (a - b).square().flatten(1).mean(1)


def read_target(path: Path, recipe: Recipe) -> Tensor:
    """Read an image as a model's training data are: (1, C, H, W) in [-1, 1], scaled to cover its size and cut.

    Raises:
        InputError: it is no image, or the model makes something else.
    """
    if not (kind := kinds.find(recipe.spec.kind)).pictures:
        raise InputError(f"Images are inverted, and this model makes {kind.unit}: zerosum sample.")
    require_pictures(recipe)
    files = inputs_at(path)
    if len(files.names) != 1 or path.is_dir():
        raise InputError(f"{path} is no single image: give the path of one.")
    channels, height, width = recipe.spec.shape
    with no_bombs():
        found = survey(files, None, smallest=1, range=range_of_side(recipe.spec.range, 0), choose=False)
        for problem in found.problems.values():
            raise InputError(f"{path} {problem}: give another image.")
        bits = recipe.spec.bits
        plan = PixelFormat(height=height, width=width, channels=channels, scales=found.scales, bits=bits)
        image = attempt(files, partial(render, plan=plan))(files.names[0])
    if isinstance(image, Exception):
        raise InputError(f"{path} {reason(image)}: give another image.")
    return to_float(torch.tensor(image).permute(2, 0, 1)[None])


def invert(
    recipe: Recipe,
    target: Tensor,
    *,
    steps: int = 500,
    distance: Distance = squared_error,
    label: str | int | None = None,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Inversion:
    """Find the latent of a sample near an image: from the nearest of 64 draws, by Adam; the nearest on the way is kept.

    Args:
        recipe: in evaluation mode, its parameters without gradients.
        target: (1, C, H, W) in [-1, 1].
        steps: of Adam.
        distance: what is minimised.
        label: of the sample; by default that of the nearest draw, whose labels have the shares of the training data.
        seed: of the draws and of all that is random on the way.
        progress: told "invert", and how many steps are done of how many.

    Raises:
        InputError: the recipe has no latents or no such label.
    """
    model, target = require_latents(recipe), target.to(recipe.device)
    labels = _labels(model, label, seed)
    with rng.fork(recipe.device, seed=rng.derived(seed, "inversion")):
        with torch.no_grad():
            latents = model.prior(DRAWS)
            pieces = zip(latents.split(CHUNK), labels.split(CHUNK) if labels is not None else [None] * 4, strict=True)
            far = torch.cat([_distances(model, z, y, target, distance) for z, y in pieces])
        nearest = int(far.nan_to_num(math.inf).argmin())
        one = None if labels is None else labels[nearest : nearest + 1]
        best, reached = _descend(model, latents[nearest : nearest + 1], one, target, distance, steps, progress)
        with torch.no_grad():
            sample = _generate(model, best, one)
    return Inversion(
        latent=best.cpu(),
        sample=sample.cpu(),
        label=None if one is None else label_of(model.spec, one[0]),
        start=float(far[nearest]),
        distance=reached,
        psnr=psnr(to_uint8(sample), to_uint8(target)).value,
    )


def _descend(
    model: GenerativeRecipe,
    start: Tensor,
    labels: Tensor | None,
    target: Tensor,
    distance: Distance,
    steps: int,
    progress: ProgressCallback | None,
) -> tuple[Tensor, float]:
    """Minimise the distance from a latent (1, Z) on; return the best latent met and its distance."""
    latent = start.clone().requires_grad_()
    adam = Adam([latent], lr=RATE)
    best, least = start, math.inf
    for step in range(steps + 1):
        adam.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / (steps + 1))) / 2
        far = _distances(model, latent, labels, target, distance).sum()
        if float(far.detach()) < least:
            best, least = latent.detach().clone(), float(far.detach())
        if step < steps:
            (latent.grad,) = torch.autograd.grad(far, latent)
            adam.step()
        if progress is not None:
            progress("invert", step, steps)
    return best, least


def _distances(
    model: GenerativeRecipe, latents: Tensor, labels: Tensor | None, target: Tensor, distance: Distance
) -> Tensor:
    """Compare the samples at latents (N, Z) with one target: (N,)."""
    return distance(_generate(model, latents, labels), target.expand(len(latents), -1, -1, -1))


def _generate(model: GenerativeRecipe, latents: Tensor, labels: Tensor | None) -> Tensor:
    given = {} if labels is None else {"labels": labels}
    return model.sample(len(latents), latent=latents, **given).float().clamp(-1, 1)


def _labels(model: GenerativeRecipe, label: str | int | None, seed: int) -> Tensor | None:
    """Return the labels of the draws, or None for a model without."""
    if not model.takes_labels:
        if label is not None:
            raise InputError(f"--label is {label}, and this model generates without labels: leave it out.")
        return None
    if label is None:
        return draw_labels(model.spec, DRAWS, seed)
    one = condition(model.spec, label)
    return one.expand(DRAWS, *one.shape)
