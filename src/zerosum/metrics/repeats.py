"""Figures of several repeats, such as trainings that differ in their seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.bootstrap import Interval, split_interval

FEWEST = 5


@dataclass(frozen=True, kw_only=True)
class RepeatedResult:
    """A figure of several repeats."""

    value: float
    """Mean over repeats."""

    interval: Interval
    """Student's interval of the mean."""

    repeats: tuple[float, ...]
    """The figure in each repeat."""

    def said(self) -> str:
        """Format value and interval in points of a percentage: "+1.2 points (95 % interval -0.3 to +2.7)"."""
        low, high = 100 * self.interval.low, 100 * self.interval.high
        return f"{100 * self.value:+.1f} points ({self.interval.level:.0%} interval {low:+.1f} to {high:+.1f})"


def repeated(values: Sequence[float], *, level: float = 0.95) -> RepeatedResult:
    """Summarise independent repeats.

    Args:
        values: of 5 repeats or more.
        level: share of intervals that should hold the truth.

    Raises:
        InputError: Fewer than 5 repeats.

    >>> repeated([1.0, 2.0, 3.0, 4.0, 5.0]).value
    3.0
    """
    _require(len(values))
    found = list(values)
    interval = split_interval(lambda rows: found[int(rows[0])], len(found), seed=0, splits=len(found), level=level)
    return RepeatedResult(value=fmean(found), interval=interval, repeats=tuple(found))


def shares(count: int, repeats: int, *, seed: int) -> list[Tensor]:
    """Cut `count` test samples into a disjoint share for each repeat, so that repeats have no test sample in common.

    The mean over repeats still uses every sample once, and its interval holds the chance of the test set too.

    Raises:
        InputError: Fewer than 5 repeats, or fewer samples than repeats.
    """
    _require(repeats)
    if count < repeats:
        raise InputError(f"{count} test samples were given for {repeats} repeats; give more.")
    return list(torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tensor_split(repeats))


def _require(repeats: int) -> None:
    if repeats < FEWEST:
        raise InputError(f"{repeats} repeats were asked for; give {FEWEST} or more, because fewer give no interval.")
