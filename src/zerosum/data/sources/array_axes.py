"""Which axis of an array of images holds the channels."""

from __future__ import annotations

import numpy as np

from zerosum.errors import InputError
from zerosum.text import counted


def channels_last(images: np.ndarray, name: str) -> np.ndarray:
    """View an array as (M, H, W, C).

    Raises:
        InputError: It has other axes, or either of two may be the channels.
    """
    if images.ndim == 3:
        return images[..., None]
    last, first = (images.ndim == 4 and images.shape[axis] in (1, 2, 3, 4) for axis in (3, 1))
    if images.ndim == 4 and not last and not first:  # multispectral images
        last, first = (images.shape[axis] < min(images.shape[2], images.shape[4 - axis]) for axis in (3, 1))
    if last and first:
        raise InputError(
            f"{name} has the shape {images.shape}, where either the second or the last axis may be the channels: "
            "store it as (M, H, W, C) with more than 4 pixels a side."
        )
    if not last and not first:
        raise InputError(
            f"{name} has the shape {images.shape}: expected {counted(1, 'array')} of (M, H, W), (M, H, W, C) or "
            "(M, C, H, W) with fewer channels than pixels a side."
        )
    return images if last else np.moveaxis(images, 1, -1)
