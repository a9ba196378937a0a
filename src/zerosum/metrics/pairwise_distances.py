"""Squared Euclidean distances between rows: all of them in float32, those that decide something in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features
from zerosum.metrics.matmul import products, strips
from zerosum.metrics.smallest import smallest
from zerosum.objectives import to_float32

_SPARE = 4  # neighbours screened beyond the k asked for, so that rounding does not lose the k-th


@dataclass(frozen=True)
class Rows:
    """Features made ready for distances: the given ones, and a float32 copy about a common centre."""

    given: Tensor
    """(N, F), as given."""

    shifted: Tensor
    """(N, F), float32, minus the centre: the nearer to the origin, the less is lost to rounding."""

    norms: Tensor
    """(N,), float32, squared lengths of `shifted`."""

    centre: Tensor
    """(F,), that `shifted` lies about."""

    @classmethod
    def about(cls, centre: Tensor, features: Tensor) -> Self:
        """Take features (N, F) about a centre (F,)."""
        shifted = (to_float32(features) - centre).float()
        norms = [shifted[rows].square().sum(1) for rows in strips(*shifted.shape)]
        return cls(features, shifted, torch.cat(norms), centre)

    def beside(self, features: Tensor) -> Self:
        """Take other features (M, F) about the same centre."""
        return self.about(self.centre, features)

    def __len__(self) -> int:
        return len(self.given)


def screened(a: Rows, rows: slice, b: Rows, columns: slice) -> Tensor:
    """Squared distances up to rounding, float32: (n, m), never negative."""
    inner = products(a.shifted[rows] * -2, b.shifted[columns])
    return inner.add_(a.norms[rows, None]).add_(b.norms[columns]).clamp_(min=0)


def rounding(a: Rows, rows: slice, b: Rows, columns: slice) -> Tensor:
    """How far `screened` may be off in each column: (m,). The error of a product of F values grows as sqrt(F)."""
    width = a.shifted.shape[1]
    units = torch.finfo(torch.float32).eps * (8 + width**0.5 / 4)
    return (b.norms[columns] + a.norms[rows].max()).mul_(units)


def exact(a: Rows, i: Tensor, b: Rows, j: Tensor) -> Tensor:
    """Squared distances of chosen pairs, from float64 differences of the given features: (P,), (P,) -> (P,)."""
    parts = [
        (a.given[i[p]].double() - b.given[j[p]].double()).square().sum(1) for p in strips(len(i), a.given.shape[1])
    ]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64, device=i.device)


def below(distances: Tensor, limits: Tensor, slack: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Compare distances (n, m) with limits that broadcast to them: those below, and the undecided places (P,), (P,).

    Undecided places are False in the first answer.
    """
    sure = distances < limits - slack
    i, j = (sure ^ (distances <= limits + slack)).nonzero(as_tuple=True)
    return sure, (i, j)


def nearest_row(queries: Rows, points: Rows) -> tuple[Tensor, Tensor]:
    """Find the nearest of the points to each query.

    Args:
        queries: N rows.
        points: M rows about the same centre.

    Returns:
        Squared distances (N,), float64, and places among the points (N,), int64.
    """
    found = []
    for strip in strips(len(queries), len(points)):
        candidates = smallest(screened(queries, strip, points, slice(None)), 1 + _SPARE)
        found.append(_refine(queries, strip, points, *candidates, k=1))
    return torch.cat([distances for distances, _ in found]), torch.cat([places for _, places in found])


def nearest_other(rows: Rows, chosen: Tensor) -> Tensor:
    """Squared distances of chosen rows (n,), int64, to their nearest other row: (n,), float64."""
    found = []
    for strip in strips(len(chosen), len(rows)):
        at = chosen[strip]
        some = Rows(rows.given[at], rows.shifted[at], rows.norms[at], rows.centre)
        distances = screened(some, slice(0, len(at)), rows, slice(None))
        distances.scatter_(1, at[:, None], torch.inf)
        candidates = smallest(distances, 1 + _SPARE)
        found.append(_refine(some, slice(0, len(at)), rows, *candidates, k=1, own=at)[0])
    return torch.cat(found)


def neighbour_radii(rows: Rows, *, ks: tuple[int, ...]) -> Tensor:
    """Squared distances of every row to its k-th nearest other row, for each k.

    A strip of rows meets itself and the rows behind it once; what it finds also serves those.

    Args:
        rows: N rows.
        ks: neighbours to count to, each 1 to N - 1. A duplicate of a row is a neighbour at distance 0.

    Returns:
        (len(ks), N), float64.

    Raises:
        InputError: A k outside 1 to N - 1.
    """
    N, most = len(rows), max(ks)
    if min(ks) < 1 or most > N - 1:
        raise InputError(f"Neighbour {most} of {N} samples was asked for; give k from 1 to {N - 1}, or more samples.")
    kept = min(most + _SPARE, N - 1)
    best = torch.full((N, kept), torch.inf, device=rows.shifted.device)
    places = torch.zeros((N, kept), dtype=torch.int64, device=rows.shifted.device)
    radii = torch.empty((len(ks), N), dtype=torch.float64, device=rows.shifted.device)
    for strip in strips(N, N):
        distances = screened(rows, strip, rows, slice(strip.start, N))
        distances.diagonal().fill_(torch.inf)
        _keep(best, places, strip, *smallest(distances, kept), offset=strip.start)
        if strip.stop < N:
            behind = distances[:, strip.stop - strip.start :].T
            _keep(best, places, slice(strip.stop, N), *smallest(behind, kept), offset=strip.start)
        for radius, k in zip(radii, ks, strict=True):
            own = torch.arange(strip.start, strip.stop, device=best.device)
            radius[strip], _ = _refine(rows, strip, rows, best[strip], places[strip], k=k, own=own)
    return radii


def nearest_others(rows: Rows, *, kept: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the nearest other rows of every row, as far as they can be told.

    Args:
        rows: N rows.
        kept: how many; N - 1 where there are no more.

    Returns:
        Squared distances (N, kept), float64, ascending; their places (N, kept), int64; and squared distances (N,),
        float64, below which no other row is missing: infinity where all are there.
    """
    N, kept = len(rows), min(kept, len(rows) - 1)
    taken = min(kept + _SPARE, N - 1)
    distances = torch.empty((N, kept), dtype=torch.float64, device=rows.shifted.device)
    places = torch.empty((N, kept), dtype=torch.int64, device=rows.shifted.device)
    complete = torch.empty(N, dtype=torch.float64, device=rows.shifted.device)
    for strip in strips(N, N):
        table = screened(rows, strip, rows, slice(None))
        own = torch.arange(strip.start, min(strip.stop, N), device=table.device)
        table[own - strip.start, own] = torch.inf
        found, at = smallest(table, taken)
        edge = (found[:, -1:] - _slack(rows, strip, found)).double()[:, 0]
        # Far from the centre, in a cluster much smaller than that distance, rounding may have chosen any of them.
        lost = (edge <= found[:, kept // 2]).nonzero().squeeze(1) if taken < N - 1 else own[:0]
        if len(lost):
            at[lost] = _sharply_nearest(rows.given[own[lost]], rows, taken, own=own[lost])
        sharp = exact(rows, own.repeat_interleave(taken), rows, at.flatten()).view(found.shape)
        sharp, order = sharp.sort(dim=1, stable=True)
        distances[strip], places[strip] = sharp[:, :kept], at.gather(1, order)[:, :kept]
        edge[lost] = sharp[lost, -1]
        complete[strip] = edge if taken < N - 1 else torch.inf
    return distances, places, complete


def prepare(*sets: Tensor, names: tuple[str, ...]) -> tuple[Rows, ...]:
    """Check sets of features (N_i, F) and take them about the centre of the first.

    Raises:
        InputError: No tables of finite features, or different F.
    """
    for features, name in zip(sets, names, strict=True):
        check_features(features, of=name)
    centre = to_float32(sets[0]).mean(0)
    return tuple(Rows.about(centre, features) for features in sets)


def _keep(best: Tensor, places: Tensor, rows: slice, found: Tensor, at: Tensor, *, offset: int) -> None:
    """Merge what was found for some rows into the best so far, in place."""
    joined = torch.cat([best[rows], found], dim=1)
    best[rows], chosen = smallest(joined, best.shape[1])
    places[rows] = torch.cat([places[rows], at + offset], dim=1).gather(1, chosen)


def _refine(
    a: Rows, rows: slice, b: Rows, found: Tensor, at: Tensor, *, k: int, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Find the exact k-th smallest of screened distances (n, kept), ascending, and its place: (n,), (n,).

    Args:
        a: where the rows are from.
        rows: n rows of `a`.
        b: the points.
        found: screened distances of each row to its nearest points.
        at: their places.
        k: which.
        own: (n,), int64: the place that each row itself has among the points, if it has one.

    Only those that rounding may have put on the wrong side of the k-th are measured again. Where more than were kept
    may be (rows far from the centre, in a cluster much smaller than that distance), all of the row are.
    """
    slack = _slack(a, rows, found)
    near = ((found - found[:, k - 1, None]).abs() <= slack) & found.isfinite()  # a row's own place is at infinity
    lost = near[:, -1] & (len(b) - (own is not None) > found.shape[1])
    where = lost.nonzero().squeeze(1)
    if len(where):
        found, at = found.clone(), at.clone()
        itself = None if own is None else own[where]
        at[where] = _sharply_nearest(a.given[where + rows.start], b, found.shape[1], own=itself)
        near[where] = True
    i, column = near.nonzero(as_tuple=True)
    sharp = found.double()
    sharp[i, column] = exact(a, i + rows.start, b, at[i, column])
    distances, order = sharp.sort(dim=1, stable=True)
    return distances[:, k - 1], at.gather(1, order)[:, k - 1]


def _slack(a: Rows, rows: slice, found: Tensor) -> Tensor:
    """How far two screened distances of a row may lie on the wrong sides of each other: (n, 1).

    A point at squared distance d of a row of squared length s has a squared length of 2 (s + d) at most.
    """
    units = torch.finfo(torch.float32).eps * (8 + a.shifted.shape[1] ** 0.5 / 4)
    return (a.norms[rows, None] + found[:, -1:]).mul_(6 * units)


def _sharply_nearest(rows: Tensor, points: Rows, kept: int, *, own: Tensor | None) -> Tensor:
    """Places of the `kept` nearest points of rows (n, F), from float64 differences: (n, kept), int64."""
    found, wide = [], points.given.double()
    for part in strips(len(rows), len(points)):
        distances = torch.cdist(rows[part].double(), wide, compute_mode="donot_use_mm_for_euclid_dist")
        if own is not None:
            distances.scatter_(1, own[part, None], torch.inf)
        found.append(smallest(distances, kept)[1])
    return torch.cat(found)
