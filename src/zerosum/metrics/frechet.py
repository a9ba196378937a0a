"""The Frechet distance between two sets of features.

Only with the features of the Inception network of 2015 is it called FID; with others, name them beside the number.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.metrics.checks import check_features, check_pair, check_widths
from zerosum.metrics.moments import Moments, moments


@dataclass(frozen=True)
class Frechet:
    """A Frechet distance and what a reader must know of it."""

    value: float
    """The squared distance: mean_term + spread_term. 0 at best; negative by rounding alone is given as 0. NaN where
    moments are."""

    mean_term: float
    """Squared distance of the means."""

    spread_term: float
    """Tr(S_r + S_g - 2 (S_r S_g)^(1/2)), the distance of the covariances."""

    notes: tuple[str, ...]
    """Sentences that belong beside the number, such as that there are fewer samples than features."""


def frechet_distance(real: Moments, fake: Moments) -> Frechet:
    """Compare two sets by their moments: |m_r - m_g|^2 + Tr(S_r + S_g - 2 (S_r S_g)^(1/2)).

    The trace of the root is that of the singular values of A_r^T A_g, where S = A A^T: no root of a matrix that is not
    symmetric, no complex numbers, no constant added to the diagonals.

    Args:
        real: of real samples, F features.
        fake: of generated samples, F features.

    Raises:
        InputError: Different numbers of features, or a side of one sample.

    Source: Heusel et al. 2017, section 4, eq. 6 (https://arxiv.org/abs/1706.08500); Dowson & Landau 1982.

    >>> a = Moments(9, torch.zeros(2).double(), 8 * torch.eye(2).double())
    >>> b = Moments(9, torch.tensor([1.0, 2.0]).double(), 32 * torch.eye(2).double())
    >>> round(frechet_distance(a, b).value, 9)
    7.0
    """
    check_widths(len(real.mean), len(fake.mean))
    a, b = real.covariance, fake.covariance
    # A feature that never moves on either side adds nothing to the root and would make the table singular.
    moving = (a.diagonal() > 0) & (b.diagonal() > 0)
    root = _trace_of_root(*(_part(s, moving) for s in (a, b)), full=min(real.count, fake.count) > int(moving.sum()))
    return _distance(real.mean, fake.mean, float(a.trace() + b.trace()), root, (real.count, fake.count))


@dataclass(frozen=True)
class Factors:
    """Mean and covariance of N samples, the covariance S as A A^T."""

    count: int
    """N, number of samples."""

    mean: Tensor
    """(F,), float64."""

    rows: Tensor
    """A^T, (R, F), float64, with as many rows as the rank of S, or a row a sample."""


def factors(features: Tensor) -> Factors:
    """Factor the covariance of features (N, F); of no more samples than features without computing it.

    Raises:
        InputError: No table of finite features, or fewer than 2 samples.
    """
    check_features(features, of="given", least=2)
    if len(features) > features.shape[1]:
        known = moments(features)
        return Factors(len(features), known.mean, _factor(known.covariance).T)
    wide = features.to(torch.float64)
    mean = wide.mean(0)
    return Factors(len(features), mean, (wide - mean) / (len(wide) - 1) ** 0.5)


def frechet_distance_of_factors(real: Factors, fake: Factors) -> Frechet:
    """Compare two sets as `frechet_distance` does: the faster, the fewer samples than features there are.

    Raises:
        InputError: Different numbers of features.
    """
    check_widths(len(real.mean), len(fake.mean))
    root = float(torch.linalg.svdvals(real.rows @ fake.rows.T).sum())
    spread = float(real.rows.square().sum() + fake.rows.square().sum())
    return _distance(real.mean, fake.mean, spread, root, (real.count, fake.count))


def frechet_distance_of_features(real: Tensor, fake: Tensor) -> Frechet:
    """Compare two sets by their features; with fewer samples than features, faster and more precise than by moments.

    Args:
        real: (N, F).
        fake: (M, F).

    Raises:
        InputError: No tables of finite features, different F, or fewer than 2 samples on a side.

    Source: as `frechet_distance`.

    >>> x = torch.eye(3)
    >>> round(frechet_distance_of_features(x, x + 1).value, 9)
    3.0
    """
    check_pair(real, fake, least=2)
    if min(len(real), len(fake)) > real.shape[1]:
        return frechet_distance(moments(real), moments(fake))
    return frechet_distance_of_factors(factors(real), factors(fake))


def _part(covariance: Tensor, kept: Tensor) -> Tensor:
    return covariance if bool(kept.all()) else covariance[kept][:, kept]


def _trace_of_root(a: Tensor, b: Tensor, *, full: bool) -> float:
    """Tr (a b)^(1/2) of two covariances (F, F), which can only have full rank where there are enough samples."""
    if full:
        factor, failed = torch.linalg.cholesky_ex(a)
        if not bool(failed):
            return float(torch.linalg.eigvalsh(_congruent(factor, b)).clamp_min(0).sqrt().sum())
    # A root of rounding errors would be large, so they are cut off before it and none is taken after it.
    return float(torch.linalg.svdvals(_factor(a).T @ _factor(b)).sum())


def _congruent(factor: Tensor, b: Tensor, *, width: int = 256) -> Tensor:
    """Lower triangle of factor^T b factor for a lower triangular factor, in blocks that skip most of its zeros."""
    product = torch.zeros_like(b)
    for start in range(0, len(b), width):
        columns = slice(start, start + width)
        product[start:, columns] = factor[start:, start:].T @ (b[start:, start:] @ factor[start:, columns])
    return product


def _factor(covariance: Tensor) -> Tensor:
    """A factor A with A A^T = covariance, of as many columns as its rank: (F, F) -> (F, R)."""
    values, vectors = torch.linalg.eigh(covariance)
    floor = len(values) * torch.finfo(values.dtype).eps * values.max() if len(values) else 0.0
    kept = values > floor
    return vectors[:, kept] * values[kept].sqrt()


def _distance(m_r: Tensor, m_g: Tensor, traces: float, root: float, counts: tuple[int, int]) -> Frechet:
    mean_term = float((m_r - m_g).square().sum())
    spread_term = traces - 2 * root
    # Of a number and NaN, max returns the first: what is no number must not become a perfect 0.
    return Frechet(max(mean_term + spread_term, 0.0), mean_term, spread_term, _notes(counts, len(m_r)))


def _notes(counts: tuple[int, int], width: int) -> tuple[str, ...]:
    """Say where too few samples make the number larger than it is."""
    return tuple(
        f"{count:,} {side} samples are no more than the {width:,} features: their covariance is singular and the "
        "distance biased upwards; compare only at equal counts, or use the kernel distance."
        for side, count in zip(("real", "generated"), counts, strict=True)
        if count <= width
    )
