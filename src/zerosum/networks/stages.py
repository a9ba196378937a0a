"""Sizes of images that are made in two stages (Zhang et al. 2017, https://arxiv.org/abs/1612.03242)."""

from __future__ import annotations

from functools import partial

from zerosum.data.halving import is_halvable, nearest_halvable
from zerosum.errors import InputError


def small_shape(factor: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of stage I's images.

    Raises:
        InputError: sides that cannot be made in two stages.
    """
    channels, height, width = shape
    if _fits((height, width), factor):
        return (channels, height // factor, width // factor)
    fit = nearest_halvable((height, width), partial(_fits, factor=factor))
    raise InputError(
        f"Images of {height}x{width} cannot be made in two stages, the first with sides 1/{factor} as long: "
        f"--size {fit[0]}x{fit[1]} would fit."
    )


def _fits(size: tuple[int, int], factor: int) -> bool:
    """Whether a size and its part can both be halved."""
    height, width = size
    whole = height % factor == width % factor == 0
    return whole and is_halvable(size) and is_halvable((height // factor, width // factor))
