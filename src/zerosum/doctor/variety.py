"""Measures of a batch of generated samples beside real ones: variety, effect of labels, saturation, copies."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MEASURED_SIDE = 64
"""Pixels a side that distances are taken at; of larger images, every second, third ... pixel."""

POOLED_SIDE = 16
"""Pixels a side that images are averaged to before nearest ones are searched."""


def mean_distance(samples: Tensor) -> float:
    """Mean absolute difference over values and pairs of different samples (N, *shape); 0 for fewer than 2.

    >>> mean_distance(torch.tensor([[0.0, 0.0], [1.0, 3.0]]))
    2.0
    """
    rows = _rows(samples)
    return float(torch.pdist(rows, p=1).mean()) / rows.shape[1] if len(rows) > 1 else 0.0


def energy_distance(samples: Tensor, others: Tensor) -> float:
    """Energy distance (Szekely & Rizzo 2013) of samples (N, *shape) and others (M, *shape) by mean absolute difference.

    Twice the mean distance of one from another, less the mean distances within each.

    >>> energy_distance(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [2.0]])) <= 0
    True
    >>> energy_distance(torch.tensor([[0.0], [0.0]]), torch.tensor([[3.0], [3.0]]))
    6.0
    """
    rows, columns = _rows(samples), _rows(others)
    between = float(torch.cdist(rows, columns, p=1).mean()) / rows.shape[1]
    return 2 * between - mean_distance(samples) - mean_distance(others)


def distance(one: Tensor, other: Tensor) -> float:
    """Mean absolute difference of samples (N, *shape) in pairs."""
    return float((_rows(one) - _rows(other)).abs().mean())


def ratio(value: float, scale: float) -> float | None:
    """Divide, or return None where the scale is 0."""
    return value / scale if scale > 0 else None


def saturated(images: Tensor) -> float:
    """Share of the values (any shape) within 0.01 of -1 or 1, or beyond.

    >>> saturated(torch.tensor([-1.0, 0.0, 0.5, 0.995]))
    0.5
    """
    return float((images.abs() >= 0.99).float().mean())


def is_enlarged(images: Tensor) -> bool:
    """Whether images (N, C, H, W) are smaller ones with each pixel repeated, as progressive growing begins.

    >>> small = torch.eye(4)[None, None]
    >>> is_enlarged(small.repeat_interleave(2, 2).repeat_interleave(2, 3)), is_enlarged(small)
    (True, False)
    """
    even = images.shape[2] % 2 == images.shape[3] % 2 == 0
    return even and all(
        torch.equal(images[..., ::2, ::2], images[..., i::2, j::2]) for i, j in ((0, 1), (1, 0), (1, 1))
    )


def pooled(samples: Tensor) -> Tensor:
    """Average images (N, C, H, W) over tiles to at most 16x16, and flatten: (N, D). Points (N, D) stay as they are."""
    if samples.ndim == 4 and max(samples.shape[2:]) > POOLED_SIDE:
        height, width = (min(POOLED_SIDE, side) for side in samples.shape[2:])
        samples = functional.adaptive_avg_pool2d(samples, (height, width))
    return samples.flatten(1)


def nearest_distances(rows: Tensor, training: Tensor, *, apart: Tensor | None = None) -> Tensor:
    """Euclidean distance of each row (N, D) to the nearest of the training rows (M, D): (N,).

    Args:
        rows: to find the nearest of.
        training: to search.
        apart: (N,) int64, places in `training` of the rows themselves, which are passed over.
    """
    found = torch.cdist(rows, training, compute_mode="use_mm_for_euclid_dist_if_necessary")
    if apart is not None:
        found[torch.arange(len(rows), device=found.device), apart] = torch.inf
    return found.min(1).values


def _rows(samples: Tensor) -> Tensor:
    """Flatten to float32 rows (N, D), of large images every k-th pixel across and down."""
    if samples.ndim == 4:
        step = -(-max(samples.shape[2:]) // MEASURED_SIDE)
        samples = samples[:, :, ::step, ::step]
    return samples.float().flatten(1)
