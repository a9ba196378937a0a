"""The Frechet distance without the bias of finite samples on either side, and an interval that covers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression

import torch
from scipy.special import stdtrit
from torch import Tensor

from zerosum.metrics.bootstrap import Interval
from zerosum.metrics.checks import check_pair
from zerosum.metrics.frechet import frechet_distance_of_features

PARTS = (1, 2, 4)
"""Into how many disjoint parts both sides are cut for each point of the line."""

GROUPS = 10
"""Groups of which the jackknife leaves out one at a time."""


@dataclass(frozen=True, kw_only=True)
class Extrapolation:
    """Frechet distances of smaller and smaller parts of both sides, and the line through them."""

    value: float
    """The distance continued to infinitely many samples on both sides. Slightly below 0 by chance near 0."""

    distances: tuple[float, ...]
    """The mean distance of the parts, for each of `PARTS`."""

    interval: Interval | None
    """Where it would lie if both sides were drawn again; None where it was not asked for."""


def frechet_infinity(real: Tensor, fake: Tensor, *, jackknife: bool = True) -> Extrapolation:
    """Extrapolate the Frechet distance to infinitely many samples on both sides.

    Both sides are cut into 1, 2 and 4 disjoint parts, and the mean distance of the parts is continued to 0 parts by a
    line: the bias of a distance is a / N + b / M to first order, so p parts have p times that of the whole. It holds
    where the smallest part has many more samples than there are features.

    Args:
        real: (N, F), in a random order.
        fake: (M, F), in a random order.
        jackknife: whether to find an interval, by leaving out each of 10 groups of both sides in turn: 10 times the
            work. Subsets that share samples, or the scatter about the line, would make one that is far too narrow.

    Raises:
        InputError: No tables of finite features, different F, or too few samples for parts of 2 (8, or 10 with the
            jackknife).

    Source: Chong & Forsyth 2020, section 3 (https://arxiv.org/abs/1911.07023), who continue the generated side alone;
    Efron & Tibshirani 1993, section 11.5, for the jackknife.
    """
    check_pair(real, fake, least=2 * max(PARTS) + (2 if jackknife else 0))
    distances = _distances(real, fake)
    value = _at_zero(distances)
    interval = _jackknife(real, fake, value) if jackknife else None
    return Extrapolation(value=value, distances=distances, interval=interval)


def _distances(real: Tensor, fake: Tensor) -> tuple[float, ...]:
    def mean(parts: int) -> float:
        cut = zip(real.tensor_split(parts), fake.tensor_split(parts), strict=True)
        return fmean(frechet_distance_of_features(a, b).value for a, b in cut)

    return tuple(mean(parts) for parts in PARTS)


def _at_zero(distances: Sequence[float]) -> float:
    return linear_regression(PARTS, distances).intercept


def _jackknife(real: Tensor, fake: Tensor, value: float) -> Interval:
    groups = [torch.arange(len(side), device=side.device) % GROUPS for side in (real, fake)]
    left = [_at_zero(_distances(real[groups[0] != g], fake[groups[1] != g])) for g in range(GROUPS)]
    middle = fmean(left)
    error = ((GROUPS - 1) / GROUPS * sum((one - middle) ** 2 for one in left)) ** 0.5
    reach = float(stdtrit(GROUPS - 1, 0.975)) * error
    return Interval(value - reach, value + reach, 0.95, error, f"jackknife of {GROUPS} groups of both sides")
