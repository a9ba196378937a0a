"""Sampling and latent interpolation with a trained generator, and the files of the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum import latent
from zerosum.errors import InputError
from zerosum.media import image_grid
from zerosum.media.video import animate
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import Interpolable, controls, require_known

CHUNK = 16
"""Samples generated at once. Always whole chunks, so that a seed's first samples are the same however many follow."""


def generate(recipe: Recipe, n: int, *, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Generate (n, *shape) samples in [-1, 1] on the CPU, the same for the same seed on a CPU.

    Raises:
        InputError: a control that the recipe does not have, or a value it refuses.
    """
    require_known(chosen, controls(recipe))
    with rng.fork(recipe.device, seed=seed), torch.no_grad():
        chunks = [recipe.sample(CHUNK, **chosen).float().cpu() for _ in range(-(-n // CHUNK))]
    return torch.cat(chunks)[:n]


def write_samples(samples: Tensor, out: Path, *, metadata: Mapping[str, str]) -> list[Path]:
    """Write samples into a folder, one file each, or into one picture if `out` ends in .png.

    Points are written as a scatter plot and an array of coordinates.

    Raises:
        InputError: the ending is of another kind of file.
        StorageError: the disk refuses.
    """
    if out.suffix and out.suffix.lower() != ".png":
        raise InputError(f"Samples cannot be written as {out.name}: give a name that ends in .png, or a folder.")
    if samples.ndim == 2:
        target = out if out.suffix else out / "samples.png"
        image_grid.write_png(image_grid.scatter(samples), target, metadata)
        return [target]
    if not out.suffix:
        return image_grid.save_images(samples, out, prefix="sample", metadata=metadata)
    if len(samples) == 1 and samples.shape[1] in image_grid.MODES:
        (path,) = image_grid.save_images(samples, out.parent, prefix=out.stem, metadata=metadata)
        return [path.replace(out)]
    image_grid.write_png(image_grid.grid(samples), out, metadata)
    return [out]


def interpolate(recipe: Recipe, *, corners: int, frames: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Interpolate from latent to latent and back to the first: (frames, *shape) in [-1, 1] on the CPU.

    Raises:
        InputError: the recipe has no latents to walk among, or fewer than 2 corners or frames.
    """
    if not isinstance(recipe, Interpolable):
        raise InputError("This recipe has no latent vector to walk along: leave --interpolate out.")
    if corners < 2 or frames < 2:
        raise InputError(f"A walk of {frames} frames among {corners} samples leads nowhere: give 2 or more of each.")
    require_known(chosen, controls(recipe))
    with rng.fork(recipe.device, seed=seed), torch.no_grad():
        path = latent.loop(recipe.prior(corners).cpu(), frames=frames, between=recipe.between)
        rest = {name: value for name, value in chosen.items() if name != "truncation"}
        return torch.cat([recipe.sample(len(piece), latent=piece, **rest).float().cpu() for piece in path.split(CHUNK)])


def write_walk(samples: Tensor, out: Path, *, seconds: float) -> Path:
    """Write an interpolation as a film (.gif, .mp4) of `seconds`, or a strip (.png).

    Raises:
        InputError: another ending, or .mp4 without the `video` extra.
        StorageError: the disk refuses.
    """
    frames = [image_grid.scatter(samples) if samples.ndim == 2 else image_grid.grid(frame[None]) for frame in samples]
    animate(frames, out, seconds_per_frame=seconds / len(frames))
    return out
