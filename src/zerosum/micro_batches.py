"""Pieces in which a batch is differentiated, each drawing the random values that are its rows' in the whole batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.runtime import rng
from zerosum.runtime.distributed import World

B = TypeVar("B", bound=Batch)


def pieces(
    batch: B, inputs: Mapping[str, Any], *, parts: int, world: World, device: torch.device
) -> Iterator[tuple[float, B, dict[str, Any]]]:
    """Yield (share of the batch, piece, its inputs), drawing meanwhile what the whole batch over all processes would.

    Args:
        batch: this process's share of it.
        inputs: of the loss; tensors with a row a sample are cut as the batch is.
        parts: pieces, at most.
        world: the processes that share the batch.
        device: where random values are drawn.
    """
    rows = len(batch)
    parts = min(parts, rows)
    before = rng.state(device) if parts > 1 else None
    start = world.rank * rows
    each = {name for name, value in inputs.items() if isinstance(value, Tensor) and value.shape[:1] == (rows,)}
    for piece in batch.split(parts):
        here = slice(start - world.rank * rows, start - world.rank * rows + len(piece))
        if before is not None:
            rng.set_state(before, device)
        with rng.share(start, start + len(piece), rows * world.size):
            yield len(piece) / rows, piece, {k: v[here] if k in each else v for k, v in inputs.items()}
        start += len(piece)
