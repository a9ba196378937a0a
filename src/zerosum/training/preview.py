"""What a preview shows of a recipe on a fixed batch, and what it measures where there is a truth to hold it against."""

from __future__ import annotations

import math

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.data.batch import Batch, Domains, to_uint8
from zerosum.errors import DivergedError
from zerosum.media import image_grid
from zerosum.metrics.psnr_ssim import Channels, psnr, ssim
from zerosum.recipe import Recipe
from zerosum.tasks import Inpainter, TranslationRecipe

SSIM_SIDE = 11
"""Pixels a side that SSIM's window needs."""


def draw_preview(recipe: Recipe, batch: Batch, *, rounds: int) -> tuple[Image.Image, dict[str, float]]:
    """Draw what a recipe makes of a batch, and measure it.

    Translations are shown beside what they were made from and what they should be, a row each; samples in a grid;
    points over the real ones. Translations of pairs are measured by their mean absolute difference from the targets
    (l1, in units of [-1, 1]), and by PSNR (decibels) and SSIM on all channels and, in colour, on luma; so are completed
    images, their known pixels counted in.

    Args:
        recipe: in evaluation mode.
        batch: real samples, on the recipe's device.
        rounds: played so far, for the error.

    Returns:
        The picture, and the measurements by name.

    Raises:
        DivergedError: a sample is not finite.
    """
    if not isinstance(recipe, TranslationRecipe | Inpainter):
        fake, real = recipe.fake_and_real(batch)
        _require_finite(fake, rounds)
        return _draw(fake.float().cpu(), real.float().cpu()), {}
    columns = tuple(column.float().cpu() for column in recipe.preview_columns(batch))
    for column in columns:
        _require_finite(column, rounds)
    return before_and_after(columns), {} if isinstance(batch, Domains) else measure(columns[1], columns[2])


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


def _draw(fake: Tensor, real: Tensor) -> Image.Image:
    """Draw samples (N, *shape) as people look at them: images in a grid, points over the real ones."""
    return image_grid.scatter(fake, reference=real) if fake.ndim == 2 else image_grid.grid(fake)


def _colour(images: Tensor) -> Tensor:
    """Bring images of any channels to three: (N, C, H, W) -> (N, 3, H, W). Opacity is not shown."""
    plain = images[:, : 1 if images.shape[1] <= 2 else 3]
    return plain.expand(-1, 3, -1, -1)


def _require_finite(samples: Tensor, rounds: int) -> None:
    if not samples.isfinite().all():
        raise DivergedError(f"A sample is no longer finite after round {rounds}")
