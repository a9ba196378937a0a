"""Confidence intervals by bootstrap, by disjoint splits and by independent repeats."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev

import torch
from scipy.special import stdtrit
from torch import Tensor

from zerosum.errors import InputError


@dataclass(frozen=True)
class Interval:
    """Where the number would lie if the samples were drawn again."""

    low: float
    """Lower bound."""

    high: float
    """Upper bound."""

    level: float
    """Share of such intervals that hold the truth, such as 0.95."""

    standard_error: float
    """Standard deviation of the number over draws of the samples."""

    method: str
    """How it was found, in words."""

    limits: tuple[float | None, float | None] = (None, None)
    """The least and the largest value that the number can have; None where nothing bounds it."""

    def limited(self, limits: tuple[float | None, float | None]) -> Interval:
        """Bring both ends within limits.

        >>> found = Interval(-2.0, -1.0, 0.95, 0.3, "").limited((0.0, None))
        >>> found.low, found.high
        (0.0, 0.0)
        """
        least, most = (-math.inf if limits[0] is None else limits[0]), (math.inf if limits[1] is None else limits[1])
        low, high = (min(max(end, least), most) for end in (self.low, self.high))
        return replace(self, low=low, high=high, limits=limits)


@dataclass(frozen=True)
class Floor:
    """The metric of real samples compared with other real ones at the same counts."""

    value: float
    """Mean over repeats: below it, differences say nothing."""

    deviation: float
    """Standard deviation over repeats; 0 for one repeat."""

    repeats: tuple[float, ...]
    """The metric in each repeat."""


def bootstrap(
    metric: Callable[[Tensor], float], count: int, *, seed: int, draws: int = 200, level: float = 0.95
) -> Interval:
    """Compute a bootstrap interval: the scatter of the metric under resampling, about its value on all samples.

    A sample drawn twice is no new one, which shifts metrics that are biased or count neighbours: the scatter about the
    draws' own mean is laid about the value on all samples, so that this shift does not enter.

    Args:
        metric: what to compute on the samples of given indices (count,), int64.
        count: samples.
        seed: of the draws.
        draws: resamplings.
        level: share of intervals that should hold the truth, in (0, 1).

    Raises:
        InputError: Fewer than 2 samples or 20 draws, or a level outside (0, 1).

    Source: Efron & Tibshirani 1993, chapters 6 and 13.
    """
    if count < 2 or draws < 20:
        raise InputError(f"{draws} bootstrap draws of {count} samples were asked for; give 20 or more, of 2 or more.")
    tail = _tail(level)
    value = metric(torch.arange(count))
    generator = torch.Generator().manual_seed(seed)
    found = torch.tensor(
        [metric(torch.randint(count, (count,), generator=generator)) for _ in range(draws)], dtype=torch.float64
    )
    around = found - found.mean()
    low, high = (float(around.quantile(q)) for q in (tail, 1 - tail))
    return Interval(value + low, value + high, level, float(found.std()), f"bootstrap of {draws} draws")


def split_interval(
    metric: Callable[[Tensor], float], count: int, *, seed: int, splits: int = 10, level: float = 0.95
) -> Interval:
    """Compute Student's interval of the mean of the metric over disjoint parts of the samples.

    The parts are smaller than the whole: for a biased metric (Frechet distance) the interval is that of the number at
    count / splits samples.

    Args:
        metric: what to compute on the samples of given indices, int64.
        count: samples.
        seed: of the cut.
        splits: parts, 5 or more.
        level: share of intervals that should hold the truth, in (0, 1).

    Raises:
        InputError: Fewer than 5 splits, more splits than samples, or a level outside (0, 1).
    """
    if splits < 5 or splits > count:
        raise InputError(f"{splits} splits of {count} samples were asked for; give 5 to {count}.")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    found = [metric(part) for part in order.tensor_split(splits)]
    return mean_interval(found, level=level, method=f"{splits} disjoint splits")


def mean_interval(values: Sequence[float], *, level: float = 0.95, method: str = "Student's t") -> Interval:
    """Compute Student's interval of the mean of independent values, 2 or more.

    Raises:
        InputError: a level outside (0, 1).

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> round(found.low, 3), round(found.high, 3)
    (-0.484, 4.484)
    """
    error = stdev(values) / len(values) ** 0.5
    reach = float(stdtrit(len(values) - 1, 1 - _tail(level))) * error  # the quantile of Student's t
    middle = fmean(values)
    return Interval(middle - reach, middle + reach, level, error, method)


def share_interval(share: float, count: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share of independent samples; it has a width also at 0 and at 1.

    Args:
        share: in [0, 1].
        count: samples that it is of.
        level: share of intervals that should hold the truth, in (0, 1).

    Raises:
        InputError: A share outside [0, 1], no sample, or a level outside (0, 1).

    Source: Wilson 1927; Brown, Cai & DasGupta 2001, section 3.1.1.

    >>> found = share_interval(0.0, 100)
    >>> found.low, round(found.high, 3)
    (0.0, 0.037)
    """
    if not 0 <= share <= 1 or count < 1:
        raise InputError(f"An interval was asked for of a share {share} of {count} samples: give one in [0, 1].")
    z = NormalDist().inv_cdf(1 - _tail(level))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    low = 0.0 if share == 0 else max(0.0, middle - reach)
    high = 1.0 if share == 1 else min(1.0, middle + reach)
    return Interval(low, high, level, (share * (1 - share) / count) ** 0.5, "Wilson's score", (0.0, 1.0))


def floor(
    metric: Callable[[Tensor, Tensor], float], count: int, *, real: int, fake: int, seed: int, repeats: int = 5
) -> Floor:
    """Compute the metric between disjoint real samples, at the counts that it was computed with.

    Args:
        metric: what to compute on two disjoint sets of indices (real,) and (fake,), int64.
        count: real samples at hand.
        real: samples on the real side.
        fake: samples on the generated side.
        seed: of the draws.
        repeats: draws; they overlap, so their deviation is on the small side.

    Raises:
        InputError: Too few real samples for both sides, or numbers below 1.

    >>> floor(lambda a, b: float(set(a.tolist()) & set(b.tolist()) != set()), 10, real=6, fake=4, seed=0).value
    0.0
    """
    if min(real, fake, repeats) < 1 or real + fake > count:
        raise InputError(
            f"A floor at {real} against {fake} samples was asked for with {count} real ones at hand; the two sides "
            f"must not overlap: ask for {count} together or fewer, or use another split of the data as second side."
        )
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(count, generator=generator) for _ in range(repeats)]
    found = [metric(order[:real], order[real : real + fake]) for order in orders]
    return Floor(fmean(found), stdev(found) if repeats > 1 else 0.0, tuple(found))


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"A level of {level} was given; give a share between 0 and 1, such as 0.95.")
    return (1 - level) / 2
