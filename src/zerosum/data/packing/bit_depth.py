"""How numbers become levels, 0..255 or 0..65535, by one stated rule for files and for arrays.

Numbers of 8 bits stay as they are. Of wider integers and of floating-point numbers the range is chosen once, from the
training data, written down as text ("integer:0,4095 float:0,1"), kept in the run, and used for every split and every
image that the model is given afterwards. A range that a person asks for ("LOW,HIGH") holds for all numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zerosum.errors import InputError

Depth = Literal["auto", 8, 16]
KINDS = ("byte", "integer", "float")
EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A line through (low, 0) and (high, 255), or (high, 65535) at 16 bits; what lies outside is clipped."""

    low: float
    high: float
    sentence: str
    """What this does to the data, with {top} for the highest level and {kept} for what becomes of 16-bit numbers."""

    stretched: bool = False
    """Whether the extremes of the data decided it."""

    def note(self, bits: int) -> str:
        """Say what this does to the data at 8 or 16 bits.

        >>> integer_scale(0, 4003).note(16)
        '16-bit numbers keep 16 bits: the largest is 4003, so 0..4095 becomes 0..65535.'
        """
        kept = "are reduced to 8 bits" if bits == 8 else "keep 16 bits"
        return self.sentence.format(top=2**bits - 1, kept=kept)

    def apply(self, values: np.ndarray, bits: int = 8) -> np.ndarray:
        """Scale and round to the nearest level: any shape, to uint8 or uint16 of the same shape.

        >>> Scale(low=0, high=1, sentence="").apply(np.array([0, 0.5, 1.0])).tolist()
        [0, 128, 255]
        >>> Scale(low=0, high=1, sentence="").apply(np.array([0, 0.25, 1.0]), 16).tolist()
        [0, 16384, 65535]
        """
        if bits == 16:
            levels = (values.astype(np.float64) - self.low) * (65535 / (self.high - self.low))
            return np.clip(np.rint(levels), 0, 65535).astype(np.uint16)
        wide = max(abs(self.low), abs(self.high)) > EXACT_IN_FLOAT32
        scaled = (values.astype(np.float64 if wide else np.float32) - self.low) * (255 / (self.high - self.low))
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)

    def invert(self, levels: np.ndarray) -> np.ndarray:
        """Return the numbers, float64, that 16-bit levels stand for; whole ones where both ends are.

        >>> integer_scale(0, 4003).invert(np.array([0, 16, 65535], np.uint16)).tolist()
        [0.0, 1.0, 4095.0]
        """
        numbers = self.low + levels.astype(np.float64) * ((self.high - self.low) / 65535)
        return np.rint(numbers) if self.holds_integers else numbers

    @property
    def holds_integers(self) -> bool:
        """Whether the numbers are taken for integers: both ends are, and at least 255 apart."""
        return float(self.low).is_integer() and float(self.high).is_integer() and self.high - self.low >= 255


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
                sentence=f"16-bit numbers {{kept}}: the largest is {high:g}, so 0..{top} becomes 0..{{top}}.",
            )
    return _stretch(low, high)


def float_scale(low: float, high: float) -> Scale:
    """Choose the scale for floating-point numbers found between `low` and `high` over the whole data set.

    >>> [float_scale(*ends).high for ends in ((0.0, 0.9), (-1.0, 1.0), (0.0, 254.5), (-3.0, 7.0))]
    [1, 1, 255, 7.0]
    """
    for bottom, top in ((0, 1), (-1, 1), (0, 255)):
        if low >= bottom and high <= top:
            sentence = f"Floating-point numbers lie in [{low:.4g}, {high:.4g}], so {bottom}..{top} becomes 0..{{top}}."
            return Scale(low=bottom, high=top, sentence=sentence)
    return _stretch(low, high)


def _stretch(low: float, high: float) -> Scale:
    sentence = f"Numbers from {low:.6g} to {high:.6g}, the extremes of the whole data set, become 0..{{top}}."
    return Scale(low=low, high=high if high > low else low + max(1.0, abs(low)), sentence=sentence, stretched=True)


def read_range(asked: str | None) -> dict[str, Scale]:
    """Read the range of one side: scales by kind of number; none for "auto" or None.

    Raises:
        InputError: It is no range.

    >>> {kind: (scale.low, scale.high) for kind, scale in read_range("integer:0,4095 float:-1,1").items()}
    {'integer': (0.0, 4095.0), 'float': (-1.0, 1.0)}
    >>> list(read_range("-9, 30"))
    ['byte', 'integer', 'float']
    """
    text = re.sub(r"\s*,\s*", ",", (asked or "").strip().lower())
    found: dict[str, Scale] = {}
    for part in [] if text == "auto" else text.split():
        kind, _, ends = part.rpartition(":")
        try:
            low, high = (float(end) for end in ends.split(","))
        except ValueError:
            low, high = math.nan, math.nan
        if kind not in ("", *KINDS) or not low < high or math.isinf(high - low):
            raise InputError(
                f"--range {asked} is no range: give auto, or two numbers such as 0,4095 of which the first becomes "
                "black and the second white; of pairs, those of sources/targets."
            )
        name = {"": "Numbers", "byte": "8-bit numbers", "integer": "Wide integers", "float": "Floating-point numbers"}
        sentence = f"{name[kind]} from {low:.6g} to {high:.6g} become 0..{{top}}, as is fixed for these data."
        found |= {each: Scale(low=low, high=high, sentence=sentence) for each in ([kind] if kind else KINDS)}
    return found


def range_of_side(asked: str | None, side: int) -> str | None:
    """The range of the sources (side 0) or of the targets (side 1): one that is not split is that of both.

    >>> range_of_side("0,4095/-1,1", 1), range_of_side("0,1", 0), range_of_side("0,1/", 1)
    ('-1,1', '0,1', None)
    """
    parts = (asked or "").split("/")
    if len(parts) > 2:
        raise InputError(f"--range {asked} has {len(parts)} parts: give one, or two as SOURCES/TARGETS.")
    return (parts[0] if len(parts) == 1 else parts[side]).strip() or None


def written(scales: Mapping[str, Scale]) -> str | None:
    """Write scales as `read_range` reads them; None where there are none.

    >>> written(read_range("float:0,0.5")), written(read_range("0,2")), written({})
    ('float:0,0.5', '0,2', None)
    """
    ends = {kind: f"{_plain(scale.low)},{_plain(scale.high)}" for kind, scale in scales.items()}
    if set(ends) == set(KINDS) and len(set(ends.values())) == 1:
        return ends["byte"]
    return " ".join(f"{kind}:{ends[kind]}" for kind in KINDS if kind in ends) or None


def range_of_results(asked: str | None) -> Scale:
    """Return the scale by which results are written as numbers: of wide integers, else of what the range names.

    Results without a range are levels themselves, 0..65535.

    >>> range_of_results("integer:0,4095 float:0,1").high, range_of_results(None).high
    (4095.0, 65535)
    """
    scales = read_range(range_of_side(asked, 1))
    found = [scales[kind] for kind in ("integer", "float", "byte") if kind in scales]
    return found[0] if found else Scale(low=0, high=65535, sentence="")


def integers_of(levels: np.ndarray, asked: str | None) -> np.ndarray:
    """Return what a file of 16-bit integers holds for 16-bit levels of a range: any shape, uint16.

    They are the numbers themselves where these are integers from 0 to 65535, else the levels.

    >>> integers_of(np.array([0, 65535], np.uint16), "0,4095").tolist()
    [0, 4095]
    """
    return np.rint(range_of_results(asked).invert(levels)).astype(np.uint16) if fits_integers(asked) else levels


def fits_integers(asked: str | None) -> bool:
    """Whether the numbers of a range are integers that 16 bits hold."""
    scale = range_of_results(asked)
    return scale.holds_integers and scale.low >= 0 and scale.high <= 65535


def joined(source: str | None, target: str | None) -> str | None:
    """Write the ranges of two sides as one.

    >>> joined("0,1", "0,1"), joined(None, "float:0,1"), joined(None, None)
    ('0,1', '/float:0,1', None)
    """
    return source if source == target else f"{source or ''}/{target or ''}"


def exchanged(asked: str | None) -> str | None:
    """Write a range of two sides as that of the way back, from the targets to the sources.

    >>> exchanged("0,1/-1,1"), exchanged("/0,1"), exchanged("0,1"), exchanged(None)
    ('-1,1/0,1', '0,1/', '0,1', None)
    """
    return joined(range_of_side(asked, 1), range_of_side(asked, 0))


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
