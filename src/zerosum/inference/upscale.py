"""Super-resolution of images of any size by overlapping windows, with the same result as in one piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import to_float, to_levels
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.image_files import ProcessedFiles, picture_loader, process_files, require_pictures
from zerosum.inference.pictures import Loaded, finished
from zerosum.recipe import Recipe
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import UPSCALE, require_task

TILE = 128
"""Side, in pixels of the source, of what is made at once: at 4 times the size, about half a gigabyte of work space."""


@dataclass(frozen=True)
class Window:
    """A window of a source, in pixels: what is made, and the receptive field that this needs."""

    made: tuple[slice, slice]
    """Rows and columns."""
    seen: tuple[slice, slice]
    """The same and the radius around it, as far as the image goes."""


def windows(size: tuple[int, int], *, tile: int, radius: int) -> Iterator[Window]:
    """Cover an image of `size` (H, W) with windows of at most `tile` pixels a side, row by row.

    >>> [window.seen[1] for window in windows((8, 20), tile=10, radius=3)]
    [slice(0, 13, None), slice(7, 20, None)]
    """
    rows, columns = ([slice(start, min(start + tile, side)) for start in range(0, side, tile)] for side in size)
    for row in rows:
        for column in columns:
            made = (row, column)
            around = tuple(
                slice(max(0, part.start - radius), min(side, part.stop + radius))
                for part, side in zip(made, size, strict=True)
            )
            yield Window(made=made, seen=(around[0], around[1]))


def upscale(recipe: Recipe, images: Tensor, *, tile: int = TILE) -> Tensor:
    """Enlarge images of any size, a window at a time: the result is that of the whole, but for rounding.

    The network takes at most `tile` + 2 * radius pixels a side, whatever the size of the images.

    Args:
        recipe: a run of super-resolution, as `zerosum.load` returns it.
        images: (N, C', H, W), float in [-1, 1].
        tile: side, in pixels of the source, of what is made at once.

    Returns:
        (N, C, fH, fW) in [-1, 1], on the CPU; f is the recipe's factor.

    Raises:
        InputError: the recipe does not enlarge, or the images have other channels than it takes.
    """
    require_task(type(recipe), None, UPSCALE)
    return _filled(recipe, images, tile, torch.float32)


def upscale_files(
    recipe: Recipe,
    files: ImageFiles,
    targets: Mapping[str, Path],
    *,
    tile: int = TILE,
    progress: ProgressCallback | None = None,
) -> ProcessedFiles:
    """Enlarge image files, one after the other, into files.

    Opacity does not go through the network: it is taken off (`without_opacity`), and put back on the result, enlarged
    by Lanczos' filter. Numbers wider than 8 bits are read as in training, and the result has the bits that the data
    had; the notes say so.

    Args:
        recipe: as in `upscale`.
        files: what to enlarge.
        targets: where each result goes, by the file's name.
        tile: as in `upscale`.
        progress: called with how many are done.

    Raises:
        InputError: the recipe does not enlarge, or a kind of file that cannot hold the result.
        StorageError: the disk refuses.
    """
    require_task(type(recipe), None, UPSCALE)
    require_pictures(recipe)

    def run(images: Sequence[Loaded]) -> Tensor:
        return _filled(recipe, torch.stack([image.pixels for image in images]), tile, images[0].pixels.dtype)

    def finish(image: Loaded, result: Tensor) -> Image.Image | np.ndarray:
        return finished(recipe.spec, image.plain, result)

    load = partial(picture_loader, files, recipe.spec, size="own")
    return process_files(recipe.spec, files, targets, load, run, finish, "upscale", progress=progress)


@torch.no_grad()
def _filled(recipe: Any, images: Tensor, tile: int, kind: torch.dtype) -> Tensor:
    """Fill the result window by window, each value brought to `kind` at once: float32 in [-1, 1], or levels."""
    channels = (recipe.spec.source_shape or recipe.spec.shape)[0]
    if images.ndim != 4 or images.shape[1] != channels or 0 in images.shape:
        raise InputError(f"Images of shape {tuple(images.shape)} were given; give (N, {channels}, H, W).")
    if tile < 1:
        raise InputError(f"Tiles of {tile} pixels are not possible: give 1 or more.")
    size, f = (images.shape[2], images.shape[3]), recipe.factor
    result = torch.empty((len(images), recipe.spec.shape[0], f * size[0], f * size[1]), dtype=kind)
    for index, image in enumerate(images):
        for window in windows(size, tile=tile, radius=recipe.radius):
            seen = image[(slice(None), *window.seen)][None]
            made = (
                recipe.translate((seen if seen.is_floating_point() else to_float(seen)).to(recipe.device))[0]
                .float()
                .cpu()
            )
            cut = tuple(
                slice(f * (part.start - around.start), f * (part.stop - around.start))
                for part, around in zip(window.made, window.seen, strict=True)
            )
            place = tuple(slice(f * part.start, f * part.stop) for part in window.made)
            piece = made[(slice(None), *cut)]
            result[(index, slice(None), *place)] = (
                piece if kind == torch.float32 else to_levels(piece, recipe.spec.bits)
            )
    return result
