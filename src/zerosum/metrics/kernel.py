"""The kernel distance (KID with Inception features): an unbiased squared maximum mean discrepancy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_pair
from zerosum.metrics.matmul import products, strips


@dataclass(frozen=True)
class KernelDistance:
    """The mean over random subsets, and how they scatter."""

    value: float
    """Mean over subsets. It is unbiased, so it may be below 0 where the distributions agree."""

    deviation: float
    """Standard deviation over subsets, which is what papers print behind the sign."""

    standard_error: float
    """deviation / sqrt(subsets): of the mean over subsets of these samples, not over other samples."""

    subsets: tuple[float, ...]
    """The value of each subset."""


def kernel_distance(
    real: Tensor, fake: Tensor, *, seed: int, subsets: int = 100, subset_size: int = 1000
) -> KernelDistance:
    """Average `polynomial_discrepancy` over random subsets.

    Args:
        real: (N, F).
        fake: (M, F).
        seed: of the subsets. Each takes the head of a fresh permutation of the real samples, then of the generated
            ones, from one generator.
        subsets: how many.
        subset_size: samples a side in each.

    Raises:
        InputError: No tables of finite features, different F, or fewer samples than a subset holds.

    Source: Binkowski et al. 2018, section 4 (https://arxiv.org/abs/1801.01401).
    """
    check_pair(real, fake)
    most = min(len(real), len(fake))
    if subsets < 1 or not 2 <= subset_size <= most:
        raise InputError(
            f"{subsets} subsets of {subset_size} samples were asked for of {len(real)} real and {len(fake)} generated "
            f"samples; give 1 subset or more of 2 to {most} samples."
        )
    generator = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        x, y = (
            side[torch.randperm(len(side), generator=generator)[:subset_size].to(side.device)] for side in (real, fake)
        )
        values.append(_discrepancy(x, y))
    found = torch.tensor(values, dtype=torch.float64)
    deviation = float(found.std(correction=0))
    return KernelDistance(float(found.mean()), deviation, deviation / subsets**0.5, tuple(values))


def polynomial_discrepancy(real: Tensor, fake: Tensor) -> float:
    """Squared maximum mean discrepancy with k(a, b) = (a.b / F + 1)^3, without the bias of self-pairs.

    Args:
        real: (N, F).
        fake: (M, F).

    Raises:
        InputError: No tables of finite features, different F, or fewer than 2 samples on a side.

    Source: Binkowski et al. 2018, eq. 3 and 4; Gretton et al. 2012, lemma 6.

    >>> polynomial_discrepancy(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]]))
    1.1875
    """
    check_pair(real, fake, least=2)
    return _discrepancy(real, fake)


def _discrepancy(x: Tensor, y: Tensor) -> float:
    x, y = (side if side.dtype == torch.float64 else side.float() for side in (x, y))
    dtype = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(dtype), y.to(dtype)
    N, M = len(x), len(y)
    return _within(x) / (N * (N - 1)) + _within(y) / (M * (M - 1)) - 2 * _between(x, y) / (N * M)


def _within(x: Tensor) -> float:
    """Sum k over all ordered pairs of two different rows of x (N, F): each strip meets itself and what follows it."""
    total = 0.0
    for rows in strips(len(x), 4 * len(x), values=len(x) ** 2):
        here = _kernel(x[rows], x[rows])
        total += _sum(here) - _sum(here.diagonal())
        if rows.stop < len(x):
            total += 2 * _sum(_kernel(x[rows], x[rows.stop :]))
    return total


def _between(x: Tensor, y: Tensor) -> float:
    """Sum k over all pairs of a row of x (N, F) and one of y (M, F)."""
    return sum(_sum(_kernel(x[rows], y)) for rows in strips(len(x), len(y)))


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return products(a / a.shape[1], b).add_(1).pow_(3)


def _sum(values: Tensor) -> float:
    """Sum in float64: the distance is a small difference of such sums."""
    return float(values.sum(dtype=torch.float64))
