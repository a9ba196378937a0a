"""The kernel distance (KID with Inception features): an unbiased squared maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Sequence
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
    least, most = sorted((len(real), len(fake)))
    if subsets < 1 or not 2 <= subset_size <= least:
        raise InputError(
            f"{subsets} subsets of {subset_size} samples were asked for of {len(real)} real and {len(fake)} generated "
            f"samples; give 1 subset or more of 2 to {least} samples."
        )
    generator = torch.Generator().manual_seed(seed)
    chosen = [
        [torch.randperm(len(side), generator=generator)[:subset_size].to(side.device) for side in (real, fake)]
        for _ in range(subsets)
    ]
    if subsets * subset_size**2 < most**2:
        found = torch.cat([_discrepancies(real[x], fake[y]) for x, y in chosen])
    else:  # the kernel of all pairs costs less than that of each subset's
        of_real, of_fake = zip(*chosen, strict=True)
        found = _discrepancies(real, fake, _indicators(real, of_real), _indicators(fake, of_fake))
    found = found.cpu()
    deviation = float(found.std(correction=0))
    return KernelDistance(float(found.mean()), deviation, deviation / subsets**0.5, tuple(found.tolist()))


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
    return float(_discrepancies(real, fake))


@dataclass(frozen=True)
class _Side:
    """Samples about a common centre c, what the kernel needs of their place against it, and subsets of them."""

    rows: Tensor
    """(N, F), minus c, over sqrt(F)."""

    tilt: Tensor
    """(N,), float64: (a - c).c / F."""

    subsets: Tensor
    """(N, S), float64: 1 where a sample is in a subset."""

    @property
    def counts(self) -> Tensor:
        """(S,): samples in each subset."""
        return self.subsets.sum(0)

    def tilts(self, power: int) -> Tensor:
        """(S,): sums of powers of the tilts in each subset."""
        return self.tilt.pow(power) @ self.subsets


def _indicators(samples: Tensor, of: Sequence[Tensor]) -> Tensor:
    """Return which of N samples are in each of S subsets, given by their rows: (N, S), float64."""
    found = torch.zeros(len(samples), len(of), dtype=torch.float64, device=samples.device)
    for column, rows in zip(found.T, of, strict=True):
        column[rows] = 1
    return found


def _discrepancies(x: Tensor, y: Tensor, *subsets: Tensor) -> Tensor:
    """Squared discrepancies of subsets, in a form that loses nothing to features far from the origin.

    With q = a.b / F about the centre c, u = a.c / F, v = b.c / F and s = |c|^2 / F + 1, the kernel is
    (q + u + v + s)^3. Terms of a alone or of b alone cancel in the discrepancy, and t = u + v + s leaves
    q^3 + 3 q^2 t + 3 q t^2 + 3 u v (t + s), which is as small as the differences are. The last term is a product of
    sums over a and over b.

    Args:
        x: (N, F).
        y: (M, F).
        subsets: of each side, (N, S) and (M, S), float64, as `_indicators` returns; one of all samples by default.

    Returns:
        (S,), float64.
    """
    dtype = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
    F = x.shape[1]
    centre = x.double().mean(0)
    level = float(centre.square().sum()) / F + 1
    sides = []
    for side, chosen in zip((x, y), subsets or (None, None), strict=True):
        wide = side.double() - centre
        everything = torch.ones(len(side), 1, dtype=torch.float64, device=side.device)
        sides.append(_Side((wide / F**0.5).to(dtype), wide @ centre / F, everything if chosen is None else chosen))
    a, b = sides
    N, M = a.counts, b.counts
    return _within(a, level) / (N * (N - 1)) + _within(b, level) / (M * (M - 1)) - 2 * _between(a, b, level) / (N * M)


def _within(x: _Side, level: float) -> Tensor:
    """Sum k over all ordered pairs of two different rows of each subset: a strip meets itself and what follows it."""
    total, N = 3 * _tilted(x, x, level) - 6 * (x.tilts(3) + level * x.tilts(2)), len(x.rows)
    for rows in strips(N, 4 * N, values=min(N**2, 2**24)):
        values = _kernel(x, rows, x, slice(rows.start, N), level)
        others = x.subsets[rows.start :].clone()
        others[len(values) :] *= 2
        here = x.subsets[rows]
        total += (here * (values @ others)).sum(0) - values.diagonal() @ here
    return total


def _between(x: _Side, y: _Side, level: float) -> Tensor:
    """Sum k over all pairs of a row of x and one of y, both of a subset."""
    total = 3 * _tilted(x, y, level)
    for rows in strips(len(x.rows), len(y.rows)):
        total += (x.subsets[rows] * (_kernel(x, rows, y, slice(None), level) @ y.subsets)).sum(0)
    return total


def _tilted(x: _Side, y: _Side, level: float) -> Tensor:
    """Sum u v (u + v + 2 s) over all pairs of a row of x and one of y, both of a subset: (S,)."""
    return x.tilts(2) * y.tilts(1) + x.tilts(1) * y.tilts(2) + 2 * level * x.tilts(1) * y.tilts(1)


def _kernel(x: _Side, rows: slice, y: _Side, columns: slice, level: float) -> Tensor:
    """q^3 + 3 q^2 t + 3 q t^2 of some rows of both sides: (n, m), float64, as the distance is a difference of sums."""
    q = products(x.rows[rows], y.rows[columns])
    t = (x.tilt[rows, None] + level).to(q.dtype) + y.tilt[columns].to(q.dtype)
    return q.add(t, alpha=3).mul_(q).add_(t.square_(), alpha=3).mul_(q).double()
