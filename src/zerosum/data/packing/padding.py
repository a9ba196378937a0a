"""How an image comes to a size: cut to it, or whole within it and padded with its reflection."""

from __future__ import annotations

import numpy as np


def cover_box(size: tuple[int, int], plan: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the part of an image of `size` (H, W) that covers a plan's: left, upper, right and lower edge."""
    height, width = size
    scale = max(plan[1] / width, plan[0] / height)
    left, top = (width - plan[1] / scale) / 2, (height - plan[0] / scale) / 2
    # Rounding must not push the box out of the image by the last bit of a float.
    return (max(left, 0), max(top, 0), min(width - left, width), min(height - top, height))


def within(size: tuple[int, int], plan: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of an image of `size` (H, W) scaled until it just lies within those of a plan.

    >>> within((30, 60), (64, 64)), within((100, 1), (8, 8))
    ((32, 64), (8, 1))
    """
    scale = min(plan[0] / size[0], plan[1] / size[1])
    height, width = (min(side, max(1, round(length * scale))) for side, length in zip(plan, size, strict=True))
    return height, width


def padded(image: np.ndarray, plan: tuple[int, int]) -> np.ndarray:
    """Put an image (H, W, C) in the middle of a plan's height and width, its edges mirrored outwards.

    >>> padded(np.arange(3).reshape(1, 3, 1), (1, 6)).flatten().tolist()
    [0, 0, 1, 2, 2, 1]
    """
    margins = [
        ((side - length) // 2, (side - length + 1) // 2) for side, length in zip(plan, image.shape, strict=False)
    ]
    return np.pad(image, [*margins, (0, 0)], mode="symmetric")
