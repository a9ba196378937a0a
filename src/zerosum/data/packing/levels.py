"""Levels of gray that a data set fills: images that use few of the 256 are nearly black, white or of one gray."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from zerosum.data.packing.bit_depth import Scale

MOST_VALUES = 1 << 24
"""Values that are counted before every other row is left out."""
NARROW = 32
"""Levels: within fewer the bulk of the values has little contrast."""
GAP = 160
"""Levels: a stretch as wide that no value falls into, between others that many fall into, is a sign of an outlier."""


class Levels:
    """Counts of levels over a data set, of fewer and fewer of its rows as it grows."""

    def __init__(self) -> None:
        self._counts = np.zeros(256, np.int64)
        self._stride, self._row = 1, 0

    def add(self, rows: np.ndarray) -> None:
        """Count the colour channels of (n, H, W, C) uint8, or uint16 at 8 bits; opacity does not count."""
        chosen = rows[(-self._row) % self._stride :: self._stride]
        self._row += len(rows)
        if len(chosen):
            colour = chosen[..., :-1] if chosen.shape[-1] in (2, 4) else chosen
            colour = colour >> 8 if colour.dtype == np.uint16 else colour
            self._counts += np.bincount(np.ascontiguousarray(colour).reshape(-1), minlength=256)
        if self._counts.sum() > MOST_VALUES * self._stride:
            self._stride *= 2

    def warnings(self, scales: Collection[Scale]) -> tuple[str, ...]:
        """Say that the values fill few levels, and how to give another range.

        Args:
            scales: By which wide numbers were brought to levels; none for bytes and truth values.
        """
        total = int(self._counts.sum())
        if not total:
            return ()
        share = np.cumsum(self._counts) / total
        low, high = int(np.searchsorted(share, 0.005)), int(np.searchsorted(share, 0.995))
        filled = np.flatnonzero(self._counts)
        if high - low < NARROW and len(filled) > 1:
            tone = "black" if high < NARROW else "white" if low > 255 - NARROW else "of one gray"
            way = "LOW,HIGH" if scales else f"{int(filled[0])},{int(filled[-1])}"
            return (
                f"Few levels are filled: 99 % of the values lie from {low} to {high} of 0 to 255, so images are nearly "
                f"{tone} (dark masks, or one value far from the others, such as -9999 for no data): give the range "
                f"that matters, such as --range {way}.",
            )
        telling = len(filled) > 2 or any(scale.stretched for scale in scales)  # two levels alone are a mask
        if scales and telling and int(np.diff(filled).max(initial=0)) >= GAP:
            return (
                f"Few levels are filled: {len(filled)} of 256, with a wide gap between them, so one value lies far "
                "from the others, such as -9999 for no data: give the range that matters, such as --range LOW,HIGH.",
            )
        return ()


def levels_of(pieces: Iterable[np.ndarray]) -> Levels:
    """Count the levels of pieces (n, H, W, C) uint8."""
    found = Levels()
    for piece in pieces:
        found.add(piece)
    return found
