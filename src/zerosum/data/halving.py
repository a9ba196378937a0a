"""Sizes of images that convolutional networks can halve and double."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import log

from zerosum.data.options import LARGEST_SIDE


def halved(size: tuple[int, int]) -> tuple[int, int, int]:
    """Return (depth, height, width): how often a size can be halved until a side is below 8, and what is left.

    >>> halved((48, 64)), halved((144, 256)), halved((27, 35))
    ((3, 6, 8), (4, 9, 16), (0, 27, 35))
    """
    depth, (height, width) = 0, size
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 7:
        depth, height, width = depth + 1, height // 2, width // 2
    return depth, height, width


def is_halvable(size: tuple[int, int]) -> bool:
    """Whether a size can be halved down to 4 to 8 pixels on its shorter side, as most convolutional networks need."""
    depth, *left = halved(size)
    return depth > 0 and min(left) <= 8


def nearest_halvable(size: tuple[int, int], of: Callable[[tuple[int, int]], bool] = is_halvable) -> tuple[int, int]:
    """Return the size (H, W) nearest to one that can be halved, or for which `of` holds, by the sides' ratios.

    >>> nearest_halvable((28, 28)), nearest_halvable((27, 35)), nearest_halvable((144, 256))
    ((28, 28), (28, 36), (160, 256))
    """
    found = {size} if of(size) else set()
    for unit in (1 << depth for depth in range(1, LARGEST_SIDE.bit_length() - 3)):
        quotients = [{max(4, side // unit), max(4, -(-side // unit)), *range(4, 9)} for side in size]
        found |= {at for h, w in product(*quotients) if max(at := (h * unit, w * unit)) <= LARGEST_SIDE and of(at)}
    return min(found, key=lambda at: (sum(abs(log(new / old)) for new, old in zip(at, size, strict=True)), at))
