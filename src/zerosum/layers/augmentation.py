"""Differentiable augmentation of images: colour, translation and cutout, drawn for each image.

Every function maps (N, C, H, W) to the same shape and may be differentiated twice. What is drawn for image n is the
same wherever it lies in a batch (see `zerosum.runtime.rng`).

Source: Zhao et al. 2020, section 3.3, authors' code (https://arxiv.org/abs/2006.10738).
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.layers.take import take
from zerosum.runtime import rng

BRIGHTNESS, SATURATION, CONTRAST = 0.5, 1.0, 0.5
"""Largest change: added to all values, and of the factors of the distances from a pixel's and from an image's mean."""

SHIFT, HOLE = 1 / 8, 1 / 2
"""Largest shift and side of the square that is cut out, as shares of the height and the width."""


def colour(image: Tensor, strength: float = 1.0) -> Tensor:
    """Draw a brightness, a saturation and a contrast for each image and change it by them, in this order.

    Args:
        image: (N, C, H, W); a saturation changes nothing where C is 1.
        strength: factor of the ranges: brightness +-0.5, saturation 0 to 2, contrast 0.5 to 1.5.
    """
    draws = strength * rng.uniform(len(image), 3, device=image.device, low=-1.0)
    brightness, saturation, contrast = (column.view(-1, 1, 1, 1) for column in draws.unbind(1))
    x = image.float() + BRIGHTNESS * brightness
    x = _from_mean(x, SATURATION * saturation, (1,))
    return _from_mean(x, CONTRAST * contrast, (1, 2, 3)).to(image.dtype)


def translation(image: Tensor, strength: float = 1.0) -> Tensor:
    """Shift each image by whole pixels, up to an eighth of its sides times `strength`, and fill up with zeros."""
    bounds = [round_half_up(strength * SHIFT * side) for side in image.shape[2:]]
    shifts = [rng.integers(len(image), high=2 * bound + 1, device=image.device) - bound for bound in bounds]
    return shifted(image, torch.stack(shifts, 1))


def cutout(image: Tensor, strength: float = 1.0) -> Tensor:
    """Set a rectangle of half the sides times `strength` to zero in each image; its centre is anywhere in it."""
    height, width = image.shape[2:]
    inside = [
        _window(len(image), side, round_half_up(strength * HOLE * side), image.device) for side in (height, width)
    ]
    hole = inside[0].view(-1, 1, height, 1) & inside[1].view(-1, 1, 1, width)
    return image * (~hole).to(image.dtype)


def shifted(image: Tensor, shift: Tensor) -> Tensor:
    """Move images (N, C, H, W) by (N, 2) int64 pixels, down and to the right, and fill up with zeros."""
    for axis in (2, 3):
        side = image.shape[axis]
        shape = [len(image), 1, 1, 1]
        shape[axis] = side
        source = torch.arange(side, device=image.device) - shift[:, axis - 2, None]
        kept = ((source >= 0) & (source < side)).view(shape)
        image = take(image, axis, source.remainder(side).view(shape).expand(image.shape)) * kept.to(image.dtype)
    return image


def mirrored(image: Tensor, share: float = 0.5) -> Tensor:
    """Mirror a share of the images left to right, drawn for each."""
    chosen = rng.uniform(len(image), 1, 1, 1, device=image.device) < share
    return torch.where(chosen, image.flip(3), image)


def round_half_up(value: float) -> int:
    """Round a number of pixels that is not negative.

    >>> [round_half_up(x) for x in (0.49, 0.5, 4.0)]
    [0, 1, 4]
    """
    return int(value + 0.5)


def _from_mean(x: Tensor, change: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Scale the distance from the mean over `axes` by 1 + change."""
    mean = x.mean(axes, keepdim=True)
    return (x - mean) * (1 + change) + mean


def _window(n: int, side: int, length: int, device: torch.device) -> Tensor:
    """Draw where `length` pixels in a row lie: (n, side) truth values."""
    centre = rng.integers(n, high=side + 1 - length % 2, device=device)
    distance = torch.arange(side, device=device) - (centre[:, None] - length // 2)
    return (distance >= 0) & (distance < length)
