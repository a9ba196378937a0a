"""How numbers wider than 8 bits become 0..255, by one stated rule for files and for arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A line through (low, 0) and (high, 255); what lies outside is clipped."""

    low: float
    high: float
    sentence: str
    """What this does to the data, for the notes."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale and round to the nearest level: any shape, to uint8 of the same shape.

        >>> Scale(low=0, high=1, sentence="").apply(np.array([0, 0.5, 1.0])).tolist()
        [0, 128, 255]
        """
        scaled = (values.astype(np.float32) - self.low) * (255 / (self.high - self.low))
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def integer_scale(low: float, high: float) -> Scale:
    """Choose the scale for integers found between `low` and `high` over the whole data set.

    Cameras and scanners store 10, 12 or 14 bits in 16: the fewest of 8, 10, 12, 14 and 16 bits that hold the largest
    value are taken as the full range, since dividing by 257 would leave such images almost black.

    >>> integer_scale(0, 4003).high, integer_scale(-5, 10).low
    (4095, -5)
    """
    for bits in (8, 10, 12, 14, 16):
        if low >= 0 and high < 2**bits:
            top = 2**bits - 1
            if bits == 8:
                return Scale(
                    low=0, high=top, sentence=f"Wide integers up to {high:g} fit 8 bits and keep their values."
                )
            return Scale(
                low=0,
                high=top,
                sentence=f"16-bit numbers are reduced to 8 bits: the largest is {high:g}, so 0..{top} becomes 0..255.",
            )
    return _stretch(low, high)


def float_scale(low: float, high: float) -> Scale:
    """Choose the scale for floating-point numbers found between `low` and `high` over the whole data set.

    >>> [float_scale(*ends).high for ends in ((0.0, 0.9), (-1.0, 1.0), (0.0, 254.5), (-3.0, 7.0))]
    [1, 1, 255, 7.0]
    """
    for bottom, top in ((0, 1), (-1, 1), (0, 255)):
        if low >= bottom and high <= top:
            sentence = f"Floating-point numbers lie in [{low:.4g}, {high:.4g}], so {bottom}..{top} becomes 0..255."
            return Scale(low=bottom, high=top, sentence=sentence)
    return _stretch(low, high)


def _stretch(low: float, high: float) -> Scale:
    sentence = f"Numbers from {low:.6g} to {high:.6g}, the extremes of the whole data set, become 0..255."
    return Scale(low=low, high=high if high > low else low + 1, sentence=sentence)
