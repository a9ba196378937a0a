"""Sampling and latent interpolation with a trained generator, and the files of the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from zerosum import latent
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import CHUNK, SAMPLES, draw_labels
from zerosum.kinds.base import Kind
from zerosum.media.image_arrays import ENDINGS
from zerosum.media.image_grid import is_picture
from zerosum.media.video import animate
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import require_latents


def write_samples(samples: Tensor, out: Path, *, kind: Kind, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write samples of a kind and a spec into a folder, or into one file if `out` ends in .png, .npy or .tif.

    Raises:
        InputError: the ending is of another kind of file.
        StorageError: the disk refuses.
    """
    known = is_picture(out) or out.is_dir() or out.suffix.lower() in ENDINGS
    if not known and out.suffix.lower() in Image.registered_extensions():
        raise InputError(
            f"Samples cannot be written as {out.name}: give a name that ends in .png, .npy or .tif, or a folder."
        )
    return kind.save(samples, out, metadata, spec)


def interpolate(recipe: Recipe, *, corners: int, frames: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Interpolate from latent to latent and back to the first: (frames, *shape) in [-1, 1] on the CPU.

    Raises:
        InputError: the recipe has no latents to walk among, or fewer than 2 corners or frames.
    """
    model = require_latents(recipe)
    if corners < 2 or frames < 2:
        raise InputError(f"A walk of {frames} frames among {corners} samples leads nowhere: give 2 or more of each.")
    require_known(chosen, controls(recipe))
    with rng.fork(recipe.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        path = latent.loop(model.prior(corners).cpu(), frames=frames, between=model.between)
        rest = {name: value for name, value in chosen.items() if name != "truncation"}
        if recipe.takes_labels and "label" not in rest:
            rest["label"] = int(draw_labels(recipe.spec, 1, seed))  # one class all the way
        return torch.cat([model.sample(len(piece), latent=piece, **rest).float().cpu() for piece in path.split(CHUNK)])


def write_walk(samples: Tensor, out: Path, *, kind: Kind, seconds: float) -> Path:
    """Write a walk as a film (.gif, .mp4) of `seconds`, or a strip (.png).

    Raises:
        InputError: another ending, or .mp4 without the `video` extra.
        StorageError: the disk refuses.
    """
    frames = [kind.draw(frame[None], samples) for frame in samples]
    animate(frames, out, seconds_per_frame=seconds / len(frames))
    return out
