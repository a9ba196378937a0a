"""Precision, recall, density and coverage of generated samples, by k-nearest-neighbour manifolds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.metrics.checks import check_features, check_widths
from zerosum.metrics.matmul import strips
from zerosum.metrics.pairwise_distances import Rows, below, exact, neighbour_radii, prepare, rounding, screened


@dataclass(frozen=True)
class FidelityDiversity:
    """Fidelity of generated samples, and how much of the real ones they cover."""

    precision: float
    """Share of generated samples within reach of the real ones, 0 to 1."""

    recall: float
    """Share of real samples within reach of the generated ones, 0 to 1."""

    density: float
    """Real neighbourhoods a generated sample lies in, over k: 1 for two samples of one distribution; may exceed 1."""

    coverage: float
    """Share of real samples with a generated one in their neighbourhood: 1 - 2^-k at best, on average."""


@dataclass(frozen=True)
class Neighbourhoods:
    """Real samples and how far their neighbourhoods reach: what several sets of generated samples are compared with."""

    rows: Rows
    """N samples about their mean."""

    reach: Tensor
    """(N,), float64: squared distances to the k-th nearest other one, for precision."""

    ball: Tensor
    """(N,), float64: squared distances to the k_density-th, for density and coverage."""

    k: int
    k_density: int


def neighbourhoods(real: Tensor, *, k: int = 3, k_density: int = 5) -> Neighbourhoods:
    """Measure the neighbourhoods of real samples, once for all that is compared with them.

    Args:
        real: (N, F).
        k: neighbour whose distance bounds a neighbourhood of precision and recall (bound included).
        k_density: the same for density and coverage (bound excluded).

    Raises:
        InputError: No table of finite features, or a k that the samples are too few for.
    """
    (rows,) = prepare(real, names=("real",))
    reach, ball = neighbour_radii(rows, ks=(k, k_density))
    return Neighbourhoods(rows, reach, ball, k, k_density)


def fidelity_diversity(real: Tensor, fake: Tensor, *, k: int = 3, k_density: int = 5) -> FidelityDiversity:
    """Compute precision, recall, density and coverage in one pass over the pairs.

    Pairs are screened in float32; where rounding could decide, float64 differences do. Memory: a float32 copy of the
    features and strips of 16 MiB, never all pairs.

    Args:
        real: (N, F).
        fake: (M, F).
        k: neighbour whose distance bounds a neighbourhood of precision and recall (bound included).
        k_density: the same for density and coverage (bound excluded).

    Raises:
        InputError: No tables of finite features, different F, or a k that the samples are too few for.

    Source: Kynkaanniemi et al. 2019, eq. 1 to 3 (https://arxiv.org/abs/1904.06991); Naeem et al. 2020, section 3.1
    (https://arxiv.org/abs/2002.09797).

    >>> x = torch.arange(8.0)[:, None]
    >>> fidelity_diversity(x, x + 100)
    FidelityDiversity(precision=0.0, recall=0.0, density=0.0, coverage=0.0)
    """
    check_widths(real.shape[-1], fake.shape[-1])
    return fidelity_diversity_within(neighbourhoods(real, k=k, k_density=k_density), fake)


def fidelity_diversity_within(real: Neighbourhoods, fake: Tensor) -> FidelityDiversity:
    """Do as `fidelity_diversity`, with real neighbourhoods that are measured already.

    Raises:
        InputError: No table of finite features, another F, or fewer than k + 1 samples.
    """
    check_features(fake, of="generated")
    check_widths(real.rows.given.shape[1], fake.shape[1])
    r = real.rows
    f = r.beside(fake)
    (fake_reach,) = neighbour_radii(f, ks=(real.k,))
    precise = inside = 0
    recalled, covered = torch.zeros((2, len(r)), dtype=torch.bool, device=fake.device)
    for rows in strips(len(f), len(r)):
        distances = screened(f, rows, r, slice(None))
        pairs = Pairs(f, rows, r, distances, rounding(f, rows, r, slice(None)))
        precise += int(pairs.within(real.reach, closed=True).any(1).sum())
        recalled |= pairs.within(fake_reach[rows, None], closed=True).any(0)
        in_ball = pairs.within(real.ball, closed=False)
        inside += int(in_ball.count_nonzero())
        covered |= in_ball.any(0)
    M = len(f)
    return FidelityDiversity(
        precise / M, float(recalled.double().mean()), inside / (real.k_density * M), float(covered.double().mean())
    )


@dataclass(frozen=True)
class Pairs:
    """Distances of a strip of generated samples (n) to all real ones (N), and how far they may be off."""

    fake: Rows
    rows: slice
    real: Rows
    distances: Tensor
    slack: Tensor

    def within(self, radii: Tensor, *, closed: bool) -> Tensor:
        """Which pairs (n, N) are nearer than squared radii that broadcast to them, or as near if `closed`.

        What equals a sample is near it at any radius, also at that of samples which all equal each other.
        """
        inside, (i, j) = below(self.distances, radii.float(), self.slack)
        if len(i):
            sharp = exact(self.fake, i + self.rows.start, self.real, j)
            limits = radii.expand(self.distances.shape)[i, j]
            inside[i, j] = sharp <= limits if closed else (sharp < limits) | (sharp == 0)
        return inside
