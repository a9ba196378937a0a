"""Nearest training samples of generated ones, to find memorised training data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.metrics.smallest import smallest

RUN = 8
"""Values that are summed for a bound."""


def nearest(samples: Tensor, training: Iterable[Tensor], *, k: int) -> tuple[Tensor, Tensor]:
    """Find the k training samples nearest to each sample by mean absolute difference of their values.

    The training set is read once, chunk by chunk; memory holds one chunk, never the set. uint8 counts as images and is
    brought to [-1, 1] first, so that distances run from 0 to 2 whatever the chunks are stored as.

    Args:
        samples: (N, *S), float in [-1, 1] or uint8.
        training: Chunks (M_i, *S) in the order of the training set, float in [-1, 1] or uint8.
        k: Neighbours to find for each sample.

    Returns:
        indices: (N, k), int64, places in the training set, nearest first; at equal distance the lower index first.
        distances: (N, k), float32, mean |sample - neighbour|.

    Raises:
        InputError: Shapes differ, a sample is not finite, or there are fewer than k training samples.

    Source: the nearest-neighbour test of Goodfellow et al. 2014, figure 2, https://arxiv.org/abs/1406.2661, with the
    pixel distance that looks for near copies rather than for similar brightness.

    >>> indices, distances = nearest(torch.tensor([[0.9]]), [torch.tensor([[0.0], [1.0]])], k=1)
    >>> indices.tolist(), distances.round(decimals=2).tolist()
    ([[1]], [[0.10000000149011612]])
    """
    if k < 1:
        raise InputError(f"Nearest neighbours were asked for with k = {k}; give 1 or more.")
    queries = _rows(samples)
    if not queries.isfinite().all():
        raise InputError("A sample holds values that are not finite numbers, so it has no nearest neighbour.")
    indices = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    distances = torch.empty(len(queries), 0, device=queries.device)
    seen = 0
    for block in _blocks(training, shape=samples.shape[1:], queries=len(queries)):
        rows = _rows(block).to(queries.device)
        limits = distances[:, -1] if seen >= k else queries.new_full((len(queries),), torch.inf)
        places, found = _nearest_rows(queries, rows, min(k, len(rows)), limits)
        # Earlier finds come first and the sort is stable, so equal distances keep the lower index.
        ranked = torch.cat([distances, found], dim=1).sort(dim=1, stable=True)
        indices = torch.cat([indices, places + seen], dim=1).gather(1, ranked.indices[:, :k])
        distances = ranked.values[:, :k]
        seen += len(rows)
    if seen < k:
        raise InputError(
            f"{k} nearest neighbours were asked for among {seen} training samples; ask for {seen} or fewer."
        )
    return indices, distances


def _nearest_rows(queries: Tensor, rows: Tensor, k: int, limits: Tensor) -> tuple[Tensor, Tensor]:
    """Find the k nearest rows (M, D) of each query (N, D), as far as they are within limits (N,).

    A sum of differences is at least the difference of the sums, and so it is over each run of values: that bound leaves
    few rows to measure.

    Returns:
        Places (N, k), the lower first at equal distance, and mean absolute differences (N, k); infinity where there are
        no more.
    """
    D = queries.shape[1]
    bound = torch.cdist(_sums(queries), _sums(rows), p=1) / D
    units = D * torch.finfo(torch.float32).eps  # what the sums may round by
    spare = 32 * units * float(torch.maximum(queries.abs().max(), rows.abs().max()))
    places = torch.zeros(len(queries), k, dtype=torch.int64, device=queries.device)
    distances = torch.full((len(queries), k), torch.inf, device=queries.device)
    for number, (query, below) in enumerate(zip(queries[:, None], bound, strict=True)):
        limit = limits[number]
        if limit.isinf():  # those that seem nearest say how near the k-th is at least
            limit = (torch.cdist(query, rows[smallest(below[None], k)[1][0]], p=1) / D).max()
        near = (below <= limit * (1 + units) + spare).nonzero()[:, 0]
        if len(near):
            ranked = (torch.cdist(query, rows[near], p=1)[0] / D).sort(stable=True)
            count = min(k, len(near))
            places[number, :count], distances[number, :count] = near[ranked.indices[:k]], ranked.values[:k]
    return places, distances


def _sums(rows: Tensor) -> Tensor:
    """Sum each run of values: (N, D) -> (N, D / 8), rounded up."""
    return torch.nn.functional.pad(rows, (0, -rows.shape[1] % RUN)).unflatten(1, (-1, RUN)).sum(2)


def _rows(samples: Tensor) -> Tensor:
    """Flatten (N, *S) to float32 rows (N, D)."""
    values = to_float(samples) if samples.dtype == torch.uint8 else samples.float()
    return values.flatten(1)


def _blocks(training: Iterable[Tensor], *, shape: torch.Size, queries: int) -> Iterator[Tensor]:
    """Cut chunks so that neither a block's float rows nor its distances to the samples exceed 64 MiB."""
    rows = max(1, 2**24 // max(shape.numel(), queries, 1))
    for chunk in training:
        if chunk.shape[1:] != shape:
            raise InputError(
                f"Samples of shape {tuple(shape)} were compared with training samples of shape "
                f"{tuple(chunk.shape[1:])}; give both at the same size."
            )
        yield from chunk.split(rows)
