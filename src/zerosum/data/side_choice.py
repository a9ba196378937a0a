"""The size that images get where none is asked for."""

from __future__ import annotations

from zerosum.data.options import DataConfig


def choose_sides(sizes: set[tuple[int, int]], options: DataConfig) -> tuple[int, int]:
    """Height and width to train at, for data whose images have these heights and widths.

    >>> choose_sides({(28, 28)}, DataConfig()), choose_sides({(28, 28), (30, 30)}, DataConfig())
    ((28, 28), (64, 64))
    """
    asked = options.sides()
    if asked is not None:
        return asked
    if len(sizes) == 1 and max(only := next(iter(sizes))) <= 128:
        return only
    return (64, 64)
