"""What a preview shows of a recipe on a fixed batch, and what it measures where there is a truth to compare it with."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum import kinds, recipes
from zerosum.data.batch import Batch, to_uint8
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.errors import DivergedError, InputError
from zerosum.game import Game
from zerosum.media import image_grid
from zerosum.metrics.psnr_ssim import Channels, psnr, ssim
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import is_paired, texts_of
from zerosum.text import shown

SHEET = 8
"""Results in a preview that are each shown beside their source."""

SSIM_SIDE = 11
"""Pixels a side that SSIM's window needs."""


def draw_preview(
    recipe: Recipe, batch: Batch, *, rounds: int, played: Path | None = None
) -> tuple[Image.Image, dict[str, float]]:
    """Draw what a recipe makes of a batch, and measure it.

    Translations are shown beside what they were made from and what they should be, a row each; samples in a grid;
    points over the real ones. Translations of pairs are measured by their mean absolute difference from the targets
    (l1, in units of [-1, 1]), and by PSNR (decibels) and SSIM on all channels and, in colour, on luma; so are completed
    images, their known pixels counted in.

    Args:
        recipe: in evaluation mode.
        batch: real samples, on the recipe's device.
        rounds: played so far, for the error.
        played: path without an ending for the files of samples that a picture does not say all of, if any.

    Returns:
        The picture, and the measurements by name.

    Raises:
        DivergedError: a sample is not finite.
        StorageError: the disk refuses.
    """
    columns = tuple(column.float().cpu() for column in recipe.preview_columns(batch))
    for column in columns:
        _require_finite(column, rounds)
    if len(columns) == 1:
        kind = kinds.find(recipe.spec.kind)
        if kind.play is not None and played is not None:
            kind.play(columns[0], played, recipe.spec)
        return kind.draw(columns[0], batch.real.float().cpu()), {}
    return before_and_after(columns), measure(columns[1], columns[2]) if is_paired(recipe) else {}


Previews = tuple[Batch, Literal["training", "held_out"], str | None]
"""What previews show, whether it is trained on, and a sentence on it where there is a choice."""


def preview_batch(recipe: Recipe, dataset: Dataset, options: DataConfig, *, most: int) -> Previews:
    """Choose the batch of the previews: where results are made from images, some that are not trained on, if any.

    Args:
        recipe: what is trained.
        dataset: what it is trained on.
        options: what the data were opened with.
        most: samples to show; of what is made from images, at most 8.

    Raises:
        InputError: a held-out split is there and cannot be used.
        StorageError: the cache cannot be written to.
    """
    if recipe.task.given == "nothing":
        return dataset.batch(np.arange(most) % len(dataset)), "training", None
    count = min(most, SHEET)
    same = replace(
        options, size="x".join(map(str, dataset.spec.shape[1:])), range=dataset.spec.range, depth=dataset.spec.bits
    )
    others = [split for split in kinds.HELD_OUT if split != options.split]
    _, apart = next(kinds.open_splits(recipe.data, dataset.source, others, options=same), (None, None))
    if apart is not None and apart.spec == dataset.spec:
        note = f"Previews show {count} images of a split that is not trained on."
        batch = apart.batch(_spread(count, len(apart), options))
        return batch, "held_out", note + _texts(recipe, batch)
    note = f"Previews show {count} of the training images, because the data have no split test or val like them."
    batch = dataset.batch(_spread(count, len(dataset), options))
    return batch, "training", note + _texts(recipe, batch)


def require_samples(game: Game[Any], batch: Batch) -> None:
    """See that a recipe from outside makes samples like the real ones, before a round is played.

    Args:
        game: before its first round.
        batch: of the previews.

    Raises:
        InputError: what it makes is no floating-point tensor, or of another shape.
    """
    recipe = game.recipe
    if recipes.origin(type(recipe)) is None:
        return
    with rng.fork(game.device, seed=0), game.averaged(), game.autocast():
        made, real = recipe.fake_and_real(batch.to(game.device))
    method = "fake_and_real" if "fake_and_real" in type(recipe).__dict__ else recipe.task.method
    wanted = f"return a tensor of floating-point numbers in [-1, 1], (n, *shape), which is {tuple(real.shape)} here"
    given = f"a {type(made).__name__}"
    if isinstance(made, Tensor):
        if made.shape == real.shape and made.is_floating_point():
            return
        given = f"a tensor of the shape {tuple(made.shape)}{'' if made.is_floating_point() else f' of {made.dtype}'}"
    raise InputError(f"{type(recipe).__name__}.{method}() returns {given} for {len(real)} samples: {wanted}.")


def _texts(recipe: Recipe, batch: Batch) -> str:
    """List what the images of a preview are made from, where that is text."""
    texts = [f"({number}) {shown(text)}" for number, text in enumerate(texts_of(recipe, batch), start=1)]
    return f" Their captions, row by row: {', '.join(texts)}." if texts else ""


def _spread(shown: int, count: int, options: DataConfig) -> np.ndarray:
    """Choose rows to show: the first ones, but of tiles some from all over, because neighbours are of one image."""
    step = max(1, count // shown) if options.fit == "tiles" else 1
    return np.arange(shown) * step % count


def measure(made: Tensor, target: Tensor) -> dict[str, float]:
    """Hold images against what they should be, both (N, C, H, W) in [-1, 1], as 8-bit images."""
    found = {"l1": float((made - target).abs().mean())}
    images = to_uint8(made), to_uint8(target)
    channels = made.shape[1]
    whole = {1: "gray", 3: "rgb"}.get(channels, f"{channels}_channels")
    kinds: dict[str, Channels] = {whole: "rgb", **({"y": "y"} if channels == 3 else {})}
    for name, kind in kinds.items():
        found[f"psnr_{name}"] = psnr(*images, channels=kind).value
        if min(made.shape[2:]) >= SSIM_SIDE:
            found[f"ssim_{name}"] = ssim(*images, channels=kind).value
    return {name: value for name, value in found.items() if math.isfinite(value)}


def before_and_after(columns: tuple[Tensor, ...]) -> Image.Image:
    """Lay images out in rows: row i holds image i of every column, small ones enlarged and gray ones beside colour.

    Args:
        columns: (N, C, H, W) in [-1, 1] each, of any sizes and channels.
    """
    sizes = [column.shape[2:] for column in columns]
    height, width = max(size[0] for size in sizes), max(size[1] for size in sizes)
    alike = len({column.shape[1] for column in columns}) == 1
    shown = [interpolate(column if alike else _colour(column), size=(height, width)) for column in columns]
    rows = torch.stack(shown, dim=1)
    blocks = 2 if len(rows) > 4 and len(columns) <= 3 else 1
    return image_grid.grid(rows.flatten(0, 1), columns=blocks * len(columns))


def _colour(images: Tensor) -> Tensor:
    """Bring images of any channels to three: (N, C, H, W) -> (N, 3, H, W). Opacity is not shown."""
    plain = images[:, : 1 if images.shape[1] <= 2 else 3]
    return plain.expand(-1, 3, -1, -1)


def _require_finite(samples: Tensor, rounds: int) -> None:
    if not samples.isfinite().all():
        raise DivergedError(f"A sample is no longer finite after round {rounds}")
