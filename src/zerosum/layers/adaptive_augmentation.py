"""Augmentation of which each transformation is applied with a probability: geometry and colour of ADA's default.

Source: Karras et al. 2020, appendix B (https://arxiv.org/abs/2006.06676).

Differs from the paper: images are resampled by bilinear interpolation, without the wavelet filter that the paper
enlarges them by first.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.objectives import to_float32
from zerosum.runtime import rng

SHIFT, SCALE, BRIGHTNESS, CONTRAST, SATURATION = 0.125, 0.2, 0.2, 0.5, 1.0
"""Largest whole shift and deviation of the fractional one, as shares of a side; deviations of the others, of factors
in powers of 2."""


def augmented(image: Tensor, p: float) -> Tensor:
    """Flip, turn, shift, scale and recolour images, each with the probability `p`, drawn for each image.

    Differentiable twice. At a `p` of 0 nothing is drawn and nothing changed.

    Args:
        image: (N, 1 or 3, H, W).
        p: probability, in [0, 1].
    """
    if p == 0:
        return image
    moved = resampled(to_float32(image), geometry(len(image), (image.shape[2], image.shape[3]), p, image.device))
    return recoloured(moved, colours(len(image), p, image.device)).to(image.dtype)


def geometry(n: int, size: tuple[int, int], p: float, device: torch.device) -> Tensor:
    """Draw (n, 3, 3) maps from places in the result to places in the image, in pixels from the centre: (x, y, 1).

    In order: mirror, quarter turns, whole shift, scale, turn, stretch, turn, shift (appendix B, algorithm 1).
    """
    height, width = size
    applied, uniform, normal = _draws(n, 8, p, device)
    turned = rng.uniform(n, 2, device=device) < 1 - math.sqrt(1 - p)  # so that either turns with the probability p
    sides = torch.tensor([width, height], dtype=torch.float32, device=device)

    def kept(values: Tensor, which: Tensor, rest: float) -> Tensor:
        return torch.where(which.view(-1, *[1] * (values.ndim - 1)), values, rest)

    mirror = kept(1 - 2 * (uniform[:, 0] * 2).floor(), applied[:, 0], 1.0)
    quarter = kept((uniform[:, 1] * 4).floor() * (math.pi / 2), applied[:, 1], 0.0)
    whole = kept(((2 * uniform[:, 2:4] - 1) * SHIFT * sides).round(), applied[:, 2], 0.0)
    scale = kept(2 ** (SCALE * normal[:, 0]), applied[:, 3], 1.0)
    first = kept((2 * uniform[:, 4] - 1) * math.pi, turned[:, 0], 0.0)
    stretch = kept(2 ** (SCALE * normal[:, 1]), applied[:, 4], 1.0)
    second = kept((2 * uniform[:, 5] - 1) * math.pi, turned[:, 1], 0.0)
    shift = kept(SHIFT * normal[:, 2:4] * sides, applied[:, 5], 0.0)
    maps = _scaling(mirror, torch.ones_like(mirror)) @ _rotation(quarter) @ _shift(whole) @ _scaling(scale, scale)
    return maps @ _rotation(first) @ _scaling(stretch, 1 / stretch) @ _rotation(second) @ _shift(shift)


def colours(n: int, p: float, device: torch.device) -> Tensor:
    """Draw (n, 4, 4) maps of colours (r, g, b, 1).

    In order: brightness, contrast, mirror of the luma, hue, saturation (appendix B, algorithm 1).
    """
    applied, uniform, normal = _draws(n, 5, p, device)
    eye = torch.eye(4, device=device)
    axis = torch.tensor([1.0, 1.0, 1.0, 0.0], device=device) / math.sqrt(3)
    luma = torch.outer(axis, axis)
    across = torch.zeros(4, 4, device=device)
    across[[1, 2, 0], [0, 1, 2]], across[[0, 1, 2], [1, 2, 0]] = 1 / math.sqrt(3), -1 / math.sqrt(3)
    last = torch.diag(torch.tensor([0.0, 0.0, 0.0, 1.0], device=device))

    def kept(index: int, values: Tensor, rest: float) -> Tensor:
        return torch.where(applied[:, index], values, rest).view(-1, 1, 1)

    brightness = eye.repeat(n, 1, 1)
    brightness[:, :3, 3:] = kept(0, BRIGHTNESS * normal[:, 0], 0.0)
    contrast = last + (eye - last) * kept(1, 2 ** (CONTRAST * normal[:, 1]), 1.0)
    flip = eye - 2 * luma * kept(2, (uniform[:, 2] * 2).floor(), 0.0)
    angle = kept(3, (2 * uniform[:, 3] - 1) * math.pi, 0.0)
    around = last + luma
    hue = around + (eye - around) * angle.cos() + across * angle.sin()
    saturation = around + (eye - around) * kept(4, 2 ** (SATURATION * normal[:, 4]), 1.0)
    return saturation @ hue @ flip @ contrast @ brightness


def resampled(image: Tensor, maps: Tensor) -> Tensor:
    """Take each pixel from the place that `maps` (N, 3, 3) send it to, by bilinear interpolation: (N, C, H, W).

    Beyond its edges an image goes on as its mirror image.
    """
    N, C, height, width = image.shape
    y, x = (torch.arange(side, device=image.device) - (side - 1) / 2 for side in (height, width))
    places = torch.stack([x.expand(height, width), y[:, None].expand(height, width), torch.ones_like(x + y[:, None])])
    source = (maps @ places.flatten(1).to(maps.dtype))[:, :2] + torch.tensor(
        [[width - 1], [height - 1]], device=image.device
    ) / 2
    low = source.floor()
    part = source - low
    flat, result = image.flatten(2), torch.zeros_like(image.flatten(2))
    for right in (0, 1):
        for down in (0, 1):
            column, row = _reflected(low[:, 0] + right, width), _reflected(low[:, 1] + down, height)
            weight = (part[:, 0] if right else 1 - part[:, 0]) * (part[:, 1] if down else 1 - part[:, 1])
            index = (row * width + column)[:, None].expand(N, C, -1)
            result = result + flat.gather(2, index) * weight[:, None]
    return result.view(N, C, height, width)


def recoloured(image: Tensor, maps: Tensor) -> Tensor:
    """Map the colours of images (N, 1 or 3, H, W) by (N, 4, 4); gray ones by the mean of the three colours."""
    maps = maps.to(image.dtype)
    if image.shape[1] == 1:
        row = maps[:, :3].mean(1)
        return image * row[:, :3].sum(1).view(-1, 1, 1, 1) + row[:, 3].view(-1, 1, 1, 1)
    return torch.einsum("nij,njhw->nihw", maps[:, :3, :3], image) + maps[:, :3, 3, None, None]


def _draws(n: int, count: int, p: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Draw which of `count` changes apply, uniform and normal values: (n, count) each."""
    applied = rng.uniform(n, count, device=device) < p
    return applied, rng.uniform(n, count, device=device), rng.normal(n, count, device=device)


def _reflected(index: Tensor, side: int) -> Tensor:
    index = index.long().remainder(2 * side)
    return torch.minimum(index, 2 * side - 1 - index)


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix([[x, zero, zero], [zero, y, zero], [zero, zero, one]])


def _rotation(angle: Tensor) -> Tensor:
    zero, one, c, s = torch.zeros_like(angle), torch.ones_like(angle), angle.cos(), angle.sin()
    return _matrix([[c, -s, zero], [s, c, zero], [zero, zero, one]])


def _shift(by: Tensor) -> Tensor:
    zero, one = torch.zeros_like(by[:, 0]), torch.ones_like(by[:, 0])
    return _matrix([[one, zero, by[:, 0]], [zero, one, by[:, 1]], [zero, zero, one]])
