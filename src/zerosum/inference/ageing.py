"""Images in other classes of theirs, such as faces at other ages, by a run of an ageing recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.inference.image_files import inputs_at
from zerosum.inference.invert import read_target
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import AgeingRecipe
from zerosum.tasks.age import Embedding

ALL = "all"
"""In the place of a group: every one."""


@dataclass(frozen=True, kw_only=True)
class Aged:
    """One image in other groups."""

    image: Tensor
    """(1, C, H, W) in [-1, 1], at the model's size."""

    reconstruction: Tensor
    """(1, C, H, W): what is generated in the image's own group."""

    results: Tensor
    """(G, C, H, W): what is generated in the groups asked for."""

    start: float
    """Distance of identities between the image and what the encoder's latent generates in its own group."""

    distance: float
    """The same after the latent was fitted."""


def read_images(source: Path, recipe: AgeingRecipe) -> dict[str, Tensor]:
    """Read an image file, or all in a folder, at a model's size: (1, C, H, W) in [-1, 1] each, by name.

    Raises:
        InputError: nothing is there, or a file is no image.
    """
    files = inputs_at(source)
    if not files.root.is_dir():
        raise InputError(f"{source} is an archive: unpack it, and give an image or a folder of images.")
    return {name: read_target(files.root / name, recipe) for name in files.names}


def age(
    recipe: AgeingRecipe,
    image: Tensor,
    *,
    of: int,
    to: Sequence[int],
    embedding: Embedding | None,
    iterations: int = 50,
) -> Aged:
    """Generate an image (1, C, H, W) in other groups, from a latent that is fitted to it in its own.

    Args:
        recipe: in evaluation mode.
        image: in [-1, 1].
        of: its group.
        to: the groups of the results.
        embedding: what is kept; pixels if None.
        iterations: of the fit, at most.
    """
    image, label = image.to(recipe.device), torch.tensor([of], device=recipe.device)

    def generated(latent: Tensor, groups: Tensor) -> Tensor:
        with torch.no_grad():
            return recipe.sample(len(groups), latent=latent.expand(len(groups), -1), labels=groups).float().clamp(-1, 1)

    def apart(other: Tensor) -> float:
        embed = embedding or (lambda x: x.flatten(1))
        with torch.no_grad():
            return float((embed(image) - embed(other)).norm())

    first, fitted = (recipe.fit_latents(image, label, embedding, steps) for steps in (0, iterations))
    reconstruction = generated(fitted, label)
    return Aged(
        image=image.cpu(),
        reconstruction=reconstruction.cpu(),
        results=generated(fitted, torch.tensor(list(to), device=recipe.device)).cpu(),
        start=apart(generated(first, label)),
        distance=apart(reconstruction),
    )


def groups_asked(recipe: AgeingRecipe, to: str) -> list[int]:
    """Return the numbers of the groups that a word names: one, or all.

    Raises:
        InputError: there is no such group.
    """
    if to.casefold() == ALL and ALL not in recipe.spec.classes:
        return list(range(len(recipe.spec.classes)))
    return [int(recipe.labels_of(to, 1, flag="to"))]


def progress_of(progress: ProgressCallback | None, done: int, total: int) -> None:
    """Tell how many images are done."""
    if progress is not None:
        progress("age", done, total)
