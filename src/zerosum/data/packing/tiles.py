"""Images cut at full resolution into tiles of one size, for what must not learn from shrunken images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zerosum.data.packing.decode import ImageHeader, PixelFormat
from zerosum.text import counted


def tiles(image: np.ndarray, plan: PixelFormat) -> Iterator[np.ndarray]:
    """Cut an image (H, W, C) into views of the plan's size, row by row."""
    for top, left in corners((image.shape[0], image.shape[1]), plan):
        yield image[top : top + plan.height, left : left + plan.width]


def corners(size: tuple[int, int], plan: PixelFormat) -> list[tuple[int, int]]:
    """Upper left corners (top, left) of the tiles of an image of `size` (H, W); none where it is smaller than a tile.

    >>> corners((8, 11), PixelFormat(height=8, width=6, channels=3, scales={}))
    [(0, 0), (0, 3), (0, 5)]
    """
    return [(top, left) for top in starts(size[0], plan.height) for left in starts(size[1], plan.width)]


def starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` begin along an axis: half a tile apart, the last one flush with the end.

    >>> starts(20, 8), starts(8, 8), starts(7, 8)
    ([0, 4, 8, 12], [0], [])
    """
    if length < side:
        return []
    last = length - side
    return [*range(0, last, side // 2), last]


def tile_notes(facts: Sequence[ImageHeader], plan: PixelFormat) -> tuple[str, ...]:
    """Say how many tiles are cut out of how many images, and how many images are too small for one."""
    numbers = [len(corners((fact.height, fact.width), plan)) for fact in facts]
    small, tile = numbers.count(0), f"{plan.height}x{plan.width}"
    origin = counted(len(numbers) - small, "image")
    return (
        f"{counted(sum(numbers), 'tile')} of {tile} cut out of {origin} at full resolution, overlapping by half.",
        *([f"Left out because smaller than a tile of {tile}: {counted(small, 'image')}."] if small else []),
    )
