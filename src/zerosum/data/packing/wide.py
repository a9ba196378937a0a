"""Images of 16 bits a channel as arrays: scaling and changes of channels, which Pillow has for 8 bits alone."""

from __future__ import annotations

import numpy as np
from PIL import Image

TOP = 65535
DOUBLED = 257
"""Times an 8-bit level is the 16-bit level of the same brightness."""
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
Box = tuple[float, float, float, float]


def resized(
    image: np.ndarray,
    size: tuple[int, int],
    *,
    filter: Image.Resampling = Image.Resampling.LANCZOS,  # noqa: A002
    box: Box | None = None,
    alpha: bool = False,
) -> np.ndarray:
    """Scale an image: (H, W, C) uint16 to (*size, C) uint16.

    Args:
        image: What is scaled.
        size: Height and width of the result.
        filter: Of Pillow, antialiased.
        box: Left, upper, right and lower edge of the part to scale, in pixels; the whole where None.
        alpha: Whether the last channel is opacity, by which the others are weighted.
    """
    values = _weighted(image, alpha)
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(band)).resize((size[1], size[0]), filter, box))
        for band in np.moveaxis(values, -1, 0)
    ]
    return _unweighted(np.stack(bands, axis=-1), alpha)


def blurred(image: np.ndarray, deviation: float, *, alpha: bool) -> np.ndarray:
    """Blur an image by a Gaussian, its edges repeated: (H, W, C) uint16 to the same shape.

    Args:
        image: What is blurred.
        deviation: Standard deviation in pixels; the filter is cut off at four of them.
        alpha: Whether the last channel is opacity, by which the others are weighted.
    """
    reach = max(1, round(4 * deviation))
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2)).astype(np.float32)
    weights /= weights.sum()
    values = _weighted(image, alpha)
    for axis in (0, 1):
        margin = [(reach, reach) if each == axis else (0, 0) for each in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, margin, mode="edge"), len(weights), axis)
        values = windows @ weights
    return _unweighted(values, alpha)


def with_wide_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Give an image of 1 to 4 channels another number of them: (H, W, C) uint16 to (H, W, channels) uint16.

    Alpha that must go is composited on white; colour that must go becomes luma (ITU-R BT.601).
    """
    have = image.shape[2]
    if have == channels:
        return image
    alpha = have in (2, 4)
    colour, opacity = (image[..., :-1], image[..., -1:]) if alpha else (image, np.full_like(image[..., :1], TOP))
    if alpha and channels in (1, 3):
        share = opacity / TOP
        colour = levels(colour * share + TOP * (1 - share))
    if colour.shape[2] == 3 and channels <= 2:
        colour = levels(colour @ LUMA)[..., None]
    if colour.shape[2] == 1 and channels >= 3:
        colour = np.repeat(colour, 3, axis=2)
    return np.concatenate([colour, opacity], axis=2) if channels in (2, 4) else colour


def doubled(image: np.ndarray) -> np.ndarray:
    """Bring 8-bit levels to 16 bits: any shape, uint8 to uint16."""
    return image.astype(np.uint16) * DOUBLED


def levels(values: np.ndarray) -> np.ndarray:
    """Round to the nearest level and clip: any shape, to uint16."""
    return np.clip(np.rint(values), 0, TOP).astype(np.uint16)


def _weighted(image: np.ndarray, alpha: bool) -> np.ndarray:
    """Return an image as float32, its colours times its opacity where it has one."""
    values = image.astype(np.float32)
    if alpha:
        values[..., :-1] *= values[..., -1:] / TOP
    return values


def _unweighted(values: np.ndarray, alpha: bool) -> np.ndarray:
    """Undo `_weighted`, and round: to uint16."""
    if alpha:
        values[..., :-1] /= np.maximum(values[..., -1:], 1) / TOP
    return levels(values)
