"""What a network is shown of an image with opacity: its own colours, without the ground shining through."""

from __future__ import annotations

import numpy as np
from PIL import Image

from zerosum.data.packing.wide import TOP

REACH = 8
"""Pixels by which colours are carried on beyond what is visible, so that no filter mixes in the ground."""


def without_opacity(image: Image.Image) -> Image.Image:
    """Take the opacity off an LA or RGBA image: (W, H) to RGB of the same size; other images stay as they are.

    A pixel that is visible at all keeps its colour, however faint it is: the result gets its opacity back, and a colour
    mixed with white would shine as a fringe on a dark ground. Invisible pixels near visible ones take the mean colour
    of those; further away they are white, as in training.
    """
    if image.mode not in ("LA", "RGBA"):
        return image
    pixels = np.asarray(image.convert("RGBA"))
    if (pixels[..., 3] > 0).all():
        return image.convert("RGB")
    return Image.fromarray(_carried_on(pixels, white=255).astype(np.uint8))


def without_wide_opacity(image: np.ndarray) -> np.ndarray:
    """Take the opacity off an image of 16 bits as `without_opacity` does: (H, W, 2 or 4) uint16 to (H, W, 1 or 3)."""
    if (image[..., -1] > 0).all():
        return image[..., :-1]
    return _carried_on(image, white=TOP).astype(np.uint16)


def _carried_on(pixels: np.ndarray, *, white: int) -> np.ndarray:
    """Carry the colours of visible pixels on to invisible ones near them: (H, W, C + 1) to (H, W, C) whole float32."""
    known = pixels[..., -1] > 0
    colour = np.where(known[..., None], pixels[..., :-1], 0).astype(np.float32)
    height, width = known.shape
    for _ in range(REACH):
        around = np.pad(np.dstack([colour, known.astype(np.float32)]), ((1, 1), (1, 1), (0, 0)))
        total = sum(around[down : down + height, across : across + width] for down in range(3) for across in range(3))
        new = ~known & (total[..., -1] > 0)  # type: ignore[index]
        colour[new] = total[new][:, :-1] / total[new][:, -1:]  # type: ignore[index]
        known = known | new
    colour[~known] = white
    return np.rint(colour)
