"""Occupancy grids: numbers become empty and occupied cells, and grids come to one size.

The axes of a grid are x, y and z; z, the last one, points upwards. Each eight cells are kept as one byte.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from zerosum.data.packing.open_image import Unusable
from zerosum.errors import InputError

THRESHOLD = 0.5
"""Value above which a cell is occupied."""

SMALLEST, LARGEST = 8, 256
"""Cells a side of the grids that can be trained on."""

LARGEST_GIVEN = 1024
"""Cells a side of the grids that are read."""


class Decoded(NamedTuple):
    """One volume as it is stored, or why it cannot be used."""

    name: str
    grid: np.ndarray | Exception
    """(X, Y, Z) bool."""
    is_mesh: bool = False
    is_open: bool = False
    """Whether it is a mesh that is not watertight."""


def side_of(size: str | None) -> int | None:
    """Return the cells a side that --size asks for, "32" or "32x32x32"; None where it asks for nothing.

    Raises:
        InputError: It is no whole multiple of 8 from 8 to 256, or its sides differ.

    >>> side_of("32"), side_of("64x64x64"), side_of(None)
    (32, 64, None)
    """
    if size is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,6})(?:\s*[x×]\s*\1){0,2}\s*", str(size), re.IGNORECASE)
    side = int(match[1]) if match else 0
    if side % 8 or not SMALLEST <= side <= LARGEST:
        raise InputError(
            f"--size {size} is no size of volumes: give one side, a multiple of 8 from {SMALLEST} to {LARGEST}, such "
            "as 32 or 64."
        )
    return side


def default_side(given: int) -> int:
    """Return the side that grids of `given` cells a side are padded or reduced to where nobody says: 16, 32 or 64.

    >>> default_side(30), default_side(64), default_side(128)
    (32, 64, 64)
    """
    return next((side for side in (16, 32, 64) if given <= side), 64)


def occupied(values: np.ndarray) -> np.ndarray:
    """Return which cells of (..., X, Y, Z) numbers from 0 to 1 are occupied, bool.

    Raises:
        Unusable: They are no numbers, not finite, or lie outside [0, 1].
    """
    if values.dtype == np.bool_:
        return values
    if values.dtype.kind not in "uif":
        raise Unusable(f"holds {values.dtype} values; expected numbers from 0 (empty) to 1 (occupied)")
    if values.size == 0:
        raise Unusable(f"is empty, of shape {values.shape}")
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise Unusable("holds numbers that are not finite (NaN or infinity)")
    if low < 0 or high > 1:
        raise Unusable(f"holds numbers from {low:g} to {high:g}; expected 0 (empty) to 1 (occupied)")
    return values > THRESHOLD


def require_shape(grid: np.ndarray) -> None:
    """Require a grid (X, Y, Z) that something can be seen of: neither empty nor full.

    Raises:
        Unusable: It is empty or full, or too large.
    """
    if max(grid.shape) > LARGEST_GIVEN or min(grid.shape) < 2:
        raise Unusable(f"has {'x'.join(map(str, grid.shape))} cells; expected 2 to {LARGEST_GIVEN} a side")
    count = int(np.count_nonzero(grid))
    if count == 0:
        raise Unusable("is empty: no cell is occupied")
    if count == grid.size:
        raise Unusable("is full: every cell is occupied")


def resized(grid: np.ndarray, side: int) -> np.ndarray:
    """Bring a grid (X, Y, Z) to `side` cells a side: whole factors, and empty cells around what is left.

    A grid at most half as large is enlarged by repeating cells; of a larger one, a cell is occupied where any of the
    cells is that it stands for, so that thin parts stay.

    >>> int(resized(np.ones((15, 15, 15), bool), 32).sum()) == 30**3
    True
    """
    longest = max(grid.shape)
    if longest > side:
        step = -(-longest // side)
        grid = centred(grid, -(-longest // step) * step)
        cells = len(grid) // step
        grid = grid.reshape(cells, step, cells, step, cells, step).max((1, 3, 5))
    elif factor := side // longest:
        for axis in range(3):
            grid = np.repeat(grid, factor, axis=axis)
    return centred(grid, side)


def centred(grid: np.ndarray, side: int) -> np.ndarray:
    """Pad a grid (X, Y, Z) with empty cells on all sides to a cube of `side` cells a side."""
    missing = [side - length for length in grid.shape]
    return np.pad(grid, [(gap // 2, gap - gap // 2) for gap in missing])


def packed(grids: np.ndarray) -> np.ndarray:
    """Pack (n, X, Y, Z) grids into bits, (n, X * Y * Z / 8) uint8."""
    return np.packbits(grids.reshape(len(grids), -1), axis=1)


def unpacked(rows: np.ndarray, side: int) -> np.ndarray:
    """Unpack (n, side^3 / 8) bits to (n, side, side, side) uint8 of 0 and 1."""
    return np.unpackbits(rows, axis=1).reshape(-1, side, side, side)
