"""Widths of residual generators and discriminators, and where they attend, for images from 16x16 to 256x256.

Source: Miyato et al. 2018, table 4; Miyato & Koyama 2018, appendix A; Brock et al. 2019, appendix B and authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerosum.errors import InputError
from zerosum.networks.dcgan import halvings

ATTENDED = 64 * 64
"""Most places of a map with self-attention."""

GENERATOR_WIDTHS = {4: (16, 16, 8, 4, 2), 5: (16, 16, 8, 4, 2, 1), 6: (16, 16, 8, 8, 4, 2, 1)}
DISCRIMINATOR_WIDTHS = {4: (1, 2, 4, 8, 16), 5: (1, 2, 4, 8, 16, 16), 6: (1, 2, 4, 8, 8, 16, 16)}


@dataclass(frozen=True)
class Plan:
    """Widths of both networks for images of one shape, in units."""

    start: tuple[int, int]
    """(H, W) of the smallest map."""
    generator: tuple[int, ...]
    """Of the first map, and of each block's output; every block doubles the map."""
    discriminator: tuple[int, ...]
    """Of each block's output."""
    halvings: int
    """How many of the discriminator's blocks halve the map: the first ones."""


def plan(shape: tuple[int, ...]) -> Plan:
    """Return the widths for images of `shape` (C, H, W).

    >>> plan((3, 32, 32)).generator, plan((3, 64, 64)).discriminator
    ((4, 4, 4, 4), (1, 2, 4, 8, 16))

    Raises:
        InputError: the image cannot be halved down to 4 to 8 pixels in 6 steps.
    """
    depth, *start = halvings(shape)
    if depth > 6:
        fit = "x".join(str(side >> (depth - 6)) for side in shape[1:])
        raise InputError(f"Images of {shape[1]}x{shape[2]} are too large for these networks; --size {fit} would fit.")
    low = depth < 4
    return Plan(
        start=(start[0], start[1]),
        generator=(4,) * (depth + 1) if low else GENERATOR_WIDTHS[depth],
        discriminator=(4,) * 4 if low else DISCRIMINATOR_WIDTHS[depth],
        halvings=min(depth, 2) if low else depth,
    )


def attended(shape: tuple[int, ...], sizes: Sequence[int]) -> int | None:
    """Return the number of the block after whose output self-attention is put; None for images below 64x64.

    It is the widest map of 64x64 places at most that is smaller than the image: 64x64 from 128x128 on, as in the paper,
    and 32x32 at 64x64.

    Args:
        shape: (C, H, W) of an image.
        sizes: places of each block's output.

    >>> attended((3, 128, 128), [64, 256, 1024, 4096, 16384]), attended((3, 64, 64), [1024, 256, 64, 16, 16])
    (3, 0)
    """
    places = shape[1] * shape[2]
    fitting = [size for size in sizes if size <= min(ATTENDED, places // 4)]
    return sizes.index(max(fitting)) if fitting and halvings(shape)[0] >= 4 else None
