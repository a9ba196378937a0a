"""Sizes of images that are made in two stages (Zhang et al. 2017, https://arxiv.org/abs/1612.03242)."""

from __future__ import annotations

from contextlib import suppress

from zerosum.errors import InputError
from zerosum.networks.dcgan import halvings


def small_shape(factor: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of stage I's images.

    Raises:
        InputError: sides that cannot be made in two stages.
    """
    channels, *sides = shape
    small = (channels, *(side // factor for side in sides))
    with suppress(InputError):
        if all(side % factor == 0 for side in sides):
            halvings(small)
            halvings(shape)
            return small
    fit = [max(8 * factor, round(side / (8 * factor)) * 8 * factor) for side in sides]
    raise InputError(
        f"Images of {sides[0]}x{sides[1]} cannot be made in two stages, the first with sides 1/{factor} as long: "
        f"--size {fit[0]}x{fit[1]} would fit."
    )
