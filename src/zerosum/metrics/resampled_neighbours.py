"""Precision, recall, density and coverage of many resamples of generated samples, from one pass over the pairs.

A resample only repeats samples, so a sample's k-th neighbour in it is one of its nearest neighbours among all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zerosum.metrics.matmul import strips
from zerosum.metrics.pairwise_distances import Rows, exact, nearest_others, rounding, screened
from zerosum.metrics.precision_recall import FidelityDiversity, Neighbourhoods, Pairs, fidelity_diversity_within

DEPTH = 32
"""Neighbours of a sample that are kept: of so many, a resample holds fewer than 3 once in 10^11 times."""

MOST_PAIRS = 2**27
"""Pairs of generated and real samples whose order is kept, in 2 bytes each."""

FAR = 127


@dataclass(frozen=True)
class ResampledNeighbours:
    """Generated samples beside real ones, ready for resamples of their rows: M generated, N real samples."""

    real: Neighbourhoods
    fake: Tensor
    """(M, F)."""

    distances: Tensor
    """(M, L), float64, ascending: squared distances to the L nearest other generated samples."""

    places: Tensor
    """(M, L), int64: which these are."""

    complete: Tensor
    """(M,), float64: below it, no neighbour is missing in `distances`."""

    rank: np.ndarray
    """(M, N), int8: 0 where a pair is equal, else 1 + the neighbours in `distances` that are nearer than the real
    sample; `FAR` beyond the last of them."""

    in_ball: np.ndarray
    """(M, N), bool: whether a generated sample lies in the neighbourhood of a real one, for density and coverage."""

    inside: np.ndarray
    """(M,), int64: in how many of these it lies."""

    precise: Tensor
    """(M,), bool: whether a generated sample lies within reach of the real ones."""

    def compute(self, rows: Tensor) -> FidelityDiversity:
        """Compute what `fidelity_diversity_within` does on the generated samples of some rows (n,), to the last bit."""
        counts = torch.bincount(rows, minlength=len(self.fake))
        within = self.reach(counts)
        if within is None:
            return fidelity_diversity_within(self.real, self.fake[rows])
        n, drawn = len(rows), counts.numpy()
        recalled, covered = np.zeros((2, self.rank.shape[1]), dtype=bool)
        for strip in strips(*self.rank.shape):
            recalled |= (self.rank[strip] <= within[strip, None]).any(0)
            covered |= self.in_ball[strip][drawn[strip] > 0].any(0)
        inside = int(self.inside @ drawn)
        return FidelityDiversity(
            int(self.precise[rows].sum()) / n,
            float(torch.from_numpy(recalled).double().mean()),
            inside / (self.real.k_density * n),
            float(torch.from_numpy(covered).double().mean()),
        )

    def reach(self, counts: Tensor) -> np.ndarray | None:
        """Rank (M,), int8, of the k-th nearest other sample in a resample that holds each sample (M,) so many times.

        0 where copies of the sample itself are k or more, -1 where it is not in the resample; None where too few
        neighbours are kept to say.
        """
        k, drawn = self.real.k, counts > 0
        met = counts[self.places].cumsum(1) + (counts[:, None] - 1)
        place = (met < k).sum(1)
        known = place < met.shape[1]
        radius = self.distances.gather(1, place.clamp_max(met.shape[1] - 1)[:, None])[:, 0]
        copies = counts > k
        sure = copies | ~drawn | (known & ((radius < self.complete) | (radius == 0)))
        if not bool(sure.all()):
            return None
        return (place + 1).masked_fill(copies, 0).masked_fill(~drawn, -1).to(torch.int8).numpy()


def resampled_neighbours(real: Neighbourhoods, fake: Tensor) -> ResampledNeighbours | None:
    """Measure all that resamples of generated samples (M, F) need; None where there are too many pairs to keep.

    Raises:
        InputError: No table of finite features, another F, or fewer than k + 1 samples.
    """
    M, N = len(fake), len(real.rows)
    if M * N > MOST_PAIRS or fake.device.type != "cpu":
        return None
    f = real.rows.beside(fake)
    distances, places, complete = nearest_others(f, kept=DEPTH)
    rank, in_ball = np.empty((M, N), dtype=np.int8), np.empty((M, N), dtype=bool)
    precise = torch.empty(M, dtype=torch.bool)
    for rows in strips(M, N):
        apart = screened(f, rows, real.rows, slice(None))
        slack = rounding(f, rows, real.rows, slice(None))
        pairs = Pairs(f, rows, real.rows, apart, slack)
        precise[rows] = pairs.within(real.reach, closed=True).any(1)
        in_ball[rows] = pairs.within(real.ball, closed=False).numpy()
        rank[rows] = _ranks(f, rows, real.rows, apart, slack, distances[rows]).numpy()
    return ResampledNeighbours(real, fake, distances, places, complete, rank, in_ball, in_ball.sum(1), precise)


def _ranks(fake: Rows, rows: slice, real: Rows, apart: Tensor, slack: Tensor, known: Tensor) -> Tensor:
    """Rank of each real sample among a generated sample's neighbours: (n, N), int8, as `ResampledNeighbours.rank`.

    Args:
        fake: generated samples.
        rows: n of them.
        real: N real samples.
        apart: (n, N), screened squared distances between them.
        slack: (N,), how far these may be off.
        known: (n, L), float64, ascending: squared distances of the generated samples to their neighbours.
    """
    edges = known.float().contiguous()
    low = torch.searchsorted(edges, apart - slack, out_int32=True)
    high = torch.searchsorted(edges, apart + slack, out_int32=True, right=True)
    i, j = ((low != high) | (apart <= slack)).nonzero(as_tuple=True)
    ranks = (low + 1).masked_fill_(low == known.shape[1], FAR).to(torch.int8)
    if len(i):
        sharp = exact(fake, i + rows.start, real, j)
        nearer = torch.cat([(known[i[p]] < sharp[p, None]).sum(1) for p in strips(len(i), known.shape[1])])
        beyond = nearer == known.shape[1]
        ranks[i, j] = (nearer + 1).masked_fill(beyond, FAR).masked_fill(sharp == 0, 0).to(torch.int8)
    return ranks
