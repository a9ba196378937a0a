"""Sampling and latent interpolation with a trained generator, and the files of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum import latent
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import SAMPLES
from zerosum.inference.latents import draw_latents, map_latents
from zerosum.inference.results import file_among, is_file_name
from zerosum.kinds.base import Kind
from zerosum.media import image_grid
from zerosum.media.image_arrays import ENDINGS
from zerosum.media.video import animate
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import require_latents
from zerosum.text import counted, one_line, shown


def write_samples(samples: Tensor, out: Path, *, kind: Kind, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write samples of a kind and a spec into a folder, or into one file if `out` ends in .png, .npy or .tif.

    Raises:
        InputError: the ending is of another kind of file.
        StorageError: the disk refuses.
    """
    known = image_grid.is_picture(out) or out.is_dir() or out.suffix.lower() in (*ENDINGS, *kind.endings)
    if file := file_among(out.parents):
        raise InputError(f"Samples cannot be written to {out}, because {file} is a file: name a folder in its place.")
    if not known and (out.exists() or is_file_name(out)):
        raise InputError(
            f"Samples cannot be written as {out.name}: give a name that ends in .png, .npy or .tif, or a folder."
        )
    return kind.save(samples, out, escaped(metadata), spec)


def write_rows(samples: Tensor, out: Path, *, rows: Sequence[str], metadata: Mapping[str, str]) -> Path:
    """Write images of as many rows as there are names, (R * n, C, H, W) in [-1, 1] row after row, as one picture.

    Raises:
        StorageError: the disk refuses.
    """
    picture = image_grid.grid(samples, columns=len(samples) // len(rows))
    image_grid.write_png(picture, out, escaped({**metadata, "rows": ", ".join(rows)}))
    return out


def escaped(metadata: Mapping[str, str]) -> dict[str, str]:
    """Escape what names from outside may hold and a PNG's text cannot: control characters, bytes that are no UTF-8."""
    return {name: one_line(shown(value)) for name, value in metadata.items()}


def interpolate(recipe: Recipe, *, corners: int, frames: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Interpolate from latent to latent and back to the first: (frames, *shape) in [-1, 1] on the CPU.

    Raises:
        InputError: the recipe has no latents to walk among, or fewer than 2 corners or frames.
    """
    model = require_latents(recipe)
    if corners < 2 or frames < 2:
        raise InputError(
            f"A walk of {counted(frames, 'frame')} among {counted(corners, 'sample')} leads nowhere: give 2 or more "
            "of each."
        )
    require_known(chosen, controls(recipe))
    with rng.fork(recipe.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        path = latent.loop(draw_latents(model, corners, chosen).cpu(), frames=frames, between=model.between)
        return map_latents(model, path, seed=seed, chosen=chosen)


def write_walk(samples: Tensor, out: Path, *, kind: Kind, seconds: float) -> Path:
    """Write a walk as a film (.gif, .mp4) of `seconds`, or a strip (.png).

    Raises:
        InputError: another ending, or .mp4 without the `video` extra.
        StorageError: the disk refuses.
    """
    frames = [kind.draw(frame[None], samples) for frame in samples]
    animate(frames, out, seconds_per_frame=seconds / len(frames))
    return out
