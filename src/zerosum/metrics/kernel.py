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

    >>> import torch
    >>> real, fake = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    >>> round(polynomial_discrepancy(real, fake), 6)
    1.1875
    """
    check_pair(real, fake, least=2)
    return _discrepancy(real, fake)


@dataclass(frozen=True)
class _Side:
    """Samples about a common centre c, and what the kernel needs of their place against it."""

    rows: Tensor
    """(N, F), minus c."""

    tilt: Tensor
    """(N,): (a - c).c / F."""


def _discrepancy(x: Tensor, y: Tensor) -> float:
    """Squared discrepancy in a form that loses nothing to features far from the origin.

    With q = a.b / F about the centre c, u = a.c / F, v = b.c / F and s = |c|^2 / F + 1, the kernel is
    (q + u + v + s)^3. Terms of a alone or of b alone cancel in the discrepancy, and t = u + v + s leaves
    q^3 + 3 q^2 t + 3 q t^2 + 3 u v (t + s), which is as small as the differences are.
    """
    dtype = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
    F = x.shape[1]
    centre = x.double().mean(0)
    level = float(centre.square().sum()) / F + 1
    sides = []
    for side in (x, y):
        wide = side.double() - centre
        sides.append(_Side(wide.to(dtype), (wide @ centre).div(F).to(dtype)))
    a, b = sides
    N, M = len(x), len(y)
    return _within(a, level) / (N * (N - 1)) + _within(b, level) / (M * (M - 1)) - 2 * _between(a, b, level) / (N * M)


def _within(x: _Side, level: float) -> float:
    """Sum k over all ordered pairs of two different rows of x: each strip meets itself and what follows it."""
    total, N = 0.0, len(x.rows)
    for rows in strips(N, 4 * N, values=N**2):
        here = _kernel(x, rows, x, rows, level)
        total += _sum(here) - _sum(here.diagonal())
        if rows.stop < N:
            total += 2 * _sum(_kernel(x, rows, x, slice(rows.stop, N), level))
    return total


def _between(x: _Side, y: _Side, level: float) -> float:
    """Sum k over all pairs of a row of x and one of y."""
    every = slice(0, len(y.rows))
    return sum(_sum(_kernel(x, rows, y, every, level)) for rows in strips(len(x.rows), len(y.rows)))


def _kernel(x: _Side, rows: slice, y: _Side, columns: slice, level: float) -> Tensor:
    """The part of k that does not cancel, of some rows of both sides: (n, m)."""
    u, v = x.tilt[rows, None], y.tilt[columns]
    q = products(x.rows[rows] / x.rows.shape[1], y.rows[columns])
    t = u + v + level
    cross = (u * v).mul_(t + level)
    return t.square().addcmul_(t, q).addcmul_(q, q, value=1 / 3).mul_(q).add_(cross).mul_(3)


def _sum(values: Tensor) -> float:
    """Sum in float64: the distance is a small difference of such sums."""
    return float(values.sum(dtype=torch.float64))
