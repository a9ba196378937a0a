"""Mean and covariance of features, read once in chunks and merged over processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features, check_widths

_ROWS = 4096


@dataclass(frozen=True)
class Moments:
    """The first two moments of N samples, which determine the Frechet distance."""

    count: int
    """N, number of samples."""

    mean: Tensor
    """(F,), float64."""

    scatter: Tensor
    """(F, F), float64: the sum over samples of (x - mean)(x - mean)^T."""

    @property
    def covariance(self) -> Tensor:
        """(F, F), float64, with N - 1 in the denominator.

        Raises:
            InputError: There is one sample only.
        """
        if self.count < 2:
            raise InputError("A covariance was asked for of 1 sample; give at least 2.")
        return self.scatter / (self.count - 1)


def moments(features: Tensor | Iterable[Tensor]) -> Moments:
    """Compute mean and covariance; memory holds one chunk and a table of F x F, never all samples.

    Args:
        features: (N, F), or chunks of it (N_i, F), each read once.

    Raises:
        InputError: A chunk is no table of finite features, chunks differ in F, or there is none.

    Source: the pairwise update of Chan, Golub & LeVeque 1979, eq. 2.1, which does not cancel far from the origin.

    >>> moments(torch.tensor([[0.0], [2.0]])).covariance.item()
    2.0
    """
    chunks = (features,) if isinstance(features, Tensor) else features
    total: Moments | None = None
    for chunk in chunks:
        check_features(chunk, of="given")
        if total is not None:
            check_widths(len(total.mean), chunk.shape[1])
        for rows in chunk.split(_ROWS):
            total = _add(total, rows)
    if total is None:
        raise InputError("Moments were asked for of no samples at all; give at least 2.")
    return total


def merge(*parts: Moments) -> Moments:
    """Join the moments of disjoint sets of samples, such as those of several processes.

    Args:
        parts: one or more, of equal F.

    Raises:
        InputError: Their numbers of features differ.

    Source: Chan, Golub & LeVeque 1979, eq. 2.1.
    """
    for part in parts:
        check_widths(len(parts[0].mean), len(part.mean))
    return reduce(_join, parts)


def without(whole: Moments, part: Moments) -> Moments:
    """Take the moments of some samples out of those of all: what `merge` undoes, to rounding.

    Raises:
        InputError: Fewer than 2 samples would be left, or the numbers of features differ.

    Source: Chan, Golub & LeVeque 1979, eq. 2.1, solved for one of the two sets.
    """
    check_widths(len(whole.mean), len(part.mean))
    count = whole.count - part.count
    if count < 2:
        raise InputError(f"Of {whole.count} samples {part.count} are taken out; leave at least 2.")
    mean = (whole.mean * whole.count - part.mean * part.count) / count
    apart = part.mean - mean
    scatter = whole.scatter - part.scatter - torch.outer(apart, apart) * (count * part.count / whole.count)
    return Moments(count, mean, scatter)


def _join(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    apart = b.mean - a.mean
    scatter = torch.outer(apart, apart).mul_(a.count * b.count / count).add_(a.scatter).add_(b.scatter)
    return Moments(count, a.mean + apart * (b.count / count), scatter)


def _add(total: Moments | None, rows: Tensor) -> Moments:
    """Join the moments of `rows` (n, F), taken in float64, to `total`, in the memory of its scatter."""
    n = len(rows)
    table = rows.new_empty(n + 1, rows.shape[1], dtype=torch.float64)
    centred = table[:n].copy_(rows)
    mean = centred.mean(0)
    centred -= mean
    if total is None:
        return Moments(n, mean, _gram(centred))
    count = total.count + n
    apart = mean - total.mean
    # The step between the means enters as one more row of the product, which saves a pass over F x F.
    table[n] = apart * (total.count * n / count) ** 0.5
    total.scatter.add_(_gram(table))
    return Moments(count, total.mean + apart * (n / count), total.scatter)


def _gram(rows: Tensor) -> Tensor:
    """Return rows^T rows: (n, F) -> (F, F). numpy uses the symmetry and does half of the work, torch does not."""
    if rows.device.type != "cpu":
        return rows.T @ rows
    table = rows.numpy(force=True)
    return torch.from_numpy(table.T @ table)
