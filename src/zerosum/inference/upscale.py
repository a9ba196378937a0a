"""Super-resolution put to use: images of any size, a window at a time, with the same result as in one piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import to_float, to_uint8
from zerosum.data.packing.bit_depth import range_of_side
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.scan import attempt, survey
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.image_files import write_picture
from zerosum.inference.translate import Translated, finished, load_picture, notes_on, require_pictures
from zerosum.recipe import Recipe
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import TranslationRecipe, Upscaler

TILE = 128
"""Side, in pixels of the source, of what is made at once: at 4 times the size, about half a gigabyte of work space."""


@dataclass(frozen=True)
class Window:
    """A part of a source, in pixels: what is made of it, and what the network sees for that."""

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

    The network sees at most `tile` + 2 * radius pixels a side, whatever the size of the images.

    Args:
        recipe: a run of super-resolution, as `zerosum.load` returns it.
        images: (N, C', H, W), float in [-1, 1].
        tile: side, in pixels of the source, of what is made at once.

    Returns:
        (N, C, fH, fW) in [-1, 1], on the CPU; f is the recipe's factor.

    Raises:
        InputError: the recipe does not enlarge, or the images have other channels than it takes.
    """
    return _filled(require_upscaler(recipe), images, tile, torch.float32)


def upscale_files(
    recipe: Recipe,
    files: ImageFiles,
    targets: Mapping[str, Path],
    *,
    tile: int = TILE,
    progress: ProgressCallback | None = None,
) -> Translated:
    """Enlarge image files, one after the other, into files.

    Opacity does not go through the network: it is taken off (`without_opacity`), and put back on the result, enlarged
    by Lanczos' filter. Numbers wider than 8 bits are read as in training, and the result has 8; the notes say so.

    Args:
        recipe: as in `upscale`.
        files: what to enlarge.
        targets: where each result goes, by the file's name.
        tile: as in `upscale`.
        progress: told how many are done.

    Raises:
        InputError: the recipe does not enlarge, or a kind of file that cannot hold the result.
        StorageError: the disk refuses.
    """
    upscaler = require_upscaler(recipe)
    require_pictures(upscaler)
    with no_bombs():
        found = survey(files, progress, smallest=1, range=range_of_side(upscaler.spec.range, 0), choose=False)
        problems, written = dict(found.problems), []
        channels, height, width = upscaler.spec.source_shape or upscaler.spec.shape
        plan = PixelFormat(height=height, width=width, channels=channels, scales=found.scales)
        load: Any = attempt(files, partial(load_picture, plan=plan, size="own"))
        for name in found.facts:
            loaded: tuple[Image.Image, Tensor] | Exception = load(name)
            if isinstance(loaded, Exception):
                problems[name] = reason(loaded)
                continue
            made = _filled(upscaler, loaded[1][None], tile, torch.uint8)[0]
            written.append(write_picture(finished(upscaler, loaded[0], made), targets[name]))
            if progress is not None:
                progress("upscale", len(written), len(found.facts))
    return Translated(written=tuple(written), problems=problems, notes=notes_on(found))


def require_upscaler(recipe: Recipe) -> Any:
    """Return `recipe`, once it is known to be one of super-resolution.

    Raises:
        InputError: it is not.
    """
    if isinstance(recipe, TranslationRecipe) and isinstance(recipe, Upscaler):
        return recipe
    raise InputError(
        f"This run does not make images larger ({type(recipe).__name__}): train one that does with --recipe srgan."
    )


@torch.no_grad()
def _filled(recipe: Any, images: Tensor, tile: int, kind: torch.dtype) -> Tensor:
    """Fill the result window by window, each value brought to `kind` at once: float32 in [-1, 1], or uint8."""
    channels = (recipe.spec.source_shape or recipe.spec.shape)[0]
    if images.ndim != 4 or images.shape[1] != channels or 0 in images.shape:
        raise InputError(f"Images of shape {tuple(images.shape)} were given; give (N, {channels}, H, W).")
    if tile < 1:
        raise InputError(f"Tiles of {tile} pixels are not possible: give 1 or more.")
    size, f = (images.shape[2], images.shape[3]), recipe.factor
    result = torch.empty((len(images), recipe.spec.shape[0], f * size[0], f * size[1]), dtype=kind)
    for index, image in enumerate(images):
        for window in windows(size, tile=tile, radius=recipe.radius):
            seen = image[(slice(None), *window.seen)][None].to(recipe.device)
            made = recipe.translate(to_float(seen) if seen.dtype == torch.uint8 else seen)[0].float().cpu()
            cut = tuple(
                slice(f * (part.start - around.start), f * (part.stop - around.start))
                for part, around in zip(window.made, window.seen, strict=True)
            )
            place = tuple(slice(f * part.start, f * part.stop) for part in window.made)
            piece = made[(slice(None), *cut)]
            result[(index, slice(None), *place)] = to_uint8(piece) if kind == torch.uint8 else piece
    return result
