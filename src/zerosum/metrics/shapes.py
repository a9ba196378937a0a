"""Metrics of shapes, given as occupancy grids: overlap, Chamfer distance, coverage, connectedness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d

from zerosum.errors import InputError

CHUNK = 512
"""Grids of one side that are compared at once with all of the other."""


def intersection_over_union(a: Tensor, b: Tensor) -> Tensor:
    """Compute the shares of occupied cells that two shapes have in common, of all pairs.

    Args:
        a: (N, X, Y, Z), bool or of 0 and 1.
        b: (M, X, Y, Z), likewise.

    Returns:
        (N, M) float32: |a and b| / |a or b|; 1 where both are empty.

    >>> left, right = torch.zeros(1, 2, 3, 1), torch.zeros(1, 2, 3, 1)
    >>> left[:, :, :2], right[:, :, 1:] = 1, 1
    >>> intersection_over_union(left, right).item(), intersection_over_union(left, left).item()
    (0.3333333432674408, 1.0)
    """
    _require_grids(a, b)
    first, second = a.flatten(1).float(), b.flatten(1).float()
    common = first @ second.T
    union = first.sum(1)[:, None] + second.sum(1) - common
    return torch.where(union > 0, common / union.clamp(min=1), 1.0)


def chamfer_distances(a: Tensor, b: Tensor) -> Tensor:
    """Compute the Chamfer distances between the surfaces of shapes, of all pairs.

    The distance is the mean over the cells of a's surface of the squared distance to the nearest of b's, and the same
    the other way, added; in squares of the grid's longest side. An empty shape is as far away as the grid is wide.

    Args:
        a: (N, X, Y, Z), bool or of 0 and 1.
        b: (M, X, Y, Z), likewise.

    Returns:
        (N, M) float32.

    Source: Fan et al. 2017, eq. 1 (https://arxiv.org/abs/1612.00603), on all cells in place of samples of them.
    """
    _require_grids(a, b)
    here, there = surfaces(a).flatten(1), surfaces(b).flatten(1)
    to_here, to_there = (_squared_distances(side, a.shape[1:]) for side in (here, there))
    return _mean_over(here, to_there) + _mean_over(there, to_here).T


def surfaces(grids: Tensor) -> Tensor:
    """Return the occupied cells that have an empty neighbour, of 26, or lie at the grid's end: (N, X, Y, Z) float32."""
    filled = grids.float()
    full = avg_pool3d(filled[:, None], 3, stride=1, padding=1)[:, 0] > 1 - 0.5 / 27
    return filled * ~full


@dataclass(frozen=True, kw_only=True)
class ShapeSets:
    """How a set of shapes compares with another one, by distances between all pairs."""

    coverage: float
    """Share of the real shapes that are the nearest one of some generated shape."""

    distance: float
    """Mean over the real shapes of the distance to the nearest generated one (MMD)."""


def compare_sets(distances: Tensor) -> ShapeSets:
    """Compute coverage and minimum matching distance of generated shapes (N) and real ones (M): (N, M) distances.

    Source: Achlioptas et al. 2018, section 4 (https://arxiv.org/abs/1707.02392).

    >>> compare_sets(torch.tensor([[0.0, 2.0], [0.5, 3.0]]))
    ShapeSets(coverage=0.5, distance=1.0)
    """
    nearest = distances.argmin(1).unique()
    return ShapeSets(
        coverage=len(nearest) / distances.shape[1], distance=float(distances.min(0).values.double().mean())
    )


def nearest_neighbour_accuracy(fake: Tensor, real: Tensor, between: Tensor) -> float:
    """Compute how often a shape's nearest other one is of its own set: 0.5 where the two sets are alike.

    Args:
        fake: (N, N) distances among generated shapes.
        real: (N, N) distances among real ones.
        between: (N, N) distances of generated shapes to real ones.

    Source: Lopez-Paz & Oquab 2017 (https://arxiv.org/abs/1610.06545); Yang et al. 2019, section 5.1
    (https://arxiv.org/abs/1906.12320).
    """
    own = torch.cat([(side + _inf_diagonal(side)).min(1).values for side in (fake, real)])
    other = torch.cat([between.min(1).values, between.min(0).values])
    return float((own < other).double().mean())


def largest_parts(grids: Tensor) -> Tensor:
    """Return the share of each shape's occupied cells that are in its largest connected part: (N,); 0 where empty.

    Cells are connected where they share a face, an edge or a corner.
    """
    from scipy import ndimage  # 30 MB, which few commands need

    shares = []
    for grid in grids.bool().cpu().numpy():
        labels, count = ndimage.label(grid, structure=np.ones((3, 3, 3)))  # pyright: ignore[reportGeneralTypeIssues]
        sizes = np.bincount(labels.reshape(-1), minlength=count + 1)[1:]
        shares.append(sizes.max() / sizes.sum() if count else 0.0)
    return torch.tensor(shares)


def _inf_diagonal(distances: Tensor) -> Tensor:
    return torch.zeros_like(distances).fill_diagonal_(torch.inf)


def _squared_distances(surface: Tensor, shape: torch.Size) -> Tensor:
    """Return the squared distance of every cell to the nearest one of each surface: (N, V) -> (N, V) float32."""
    from scipy import ndimage

    side, found = max(shape), []
    for cells in surface.cpu().numpy().reshape(-1, *shape):
        if cells.any():
            found.append(torch.from_numpy(np.asarray(ndimage.distance_transform_edt(cells == 0))).float().flatten())
        else:
            found.append(torch.full((cells.size,), float(side)))
    return (torch.stack(found) / side).square()


def _mean_over(surface: Tensor, squared: Tensor) -> Tensor:
    """Average squared distances (M, V) over the cells of surfaces (N, V): (N, M); 1 for an empty surface."""
    count = surface.sum(1, keepdim=True)
    means = torch.cat([piece @ squared.T for piece in surface.split(CHUNK)]) / count.clamp(min=1)
    return torch.where(count > 0, means, 1.0)


def _require_grids(a: Tensor, b: Tensor) -> None:
    if a.ndim != 4 or a.shape[1:] != b.shape[1:] or 0 in (len(a), len(b)):
        raise InputError(
            f"Shapes of {tuple(a.shape)} and {tuple(b.shape)} cells cannot be compared: give grids of one size, "
            "(N, X, Y, Z) and (M, X, Y, Z)."
        )
