"""Parity: how far what an exported graph computes lies from what the recipe computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data.batch import to_uint8
from zerosum.exporting.inputs import Graph
from zerosum.runtime import rng

BATCHES = (1, 3, 16)
"""Batch sizes that parity is measured at."""

REPEATS = 3
"""Draws at each batch size: 60 samples altogether."""

ALLOWED_LEVELS = 2
"""Levels of 256 by which a pixel may differ in an export that is worth having, float16 storage included."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How far a graph lies from its recipe."""

    largest: float
    """Largest absolute difference of a value of the samples, which lie in [-1, 1]."""

    differing: float
    """Share of the 8-bit pixels that differ."""

    levels: int
    """Largest difference of an 8-bit pixel."""

    samples: int
    batches: tuple[int, ...] = BATCHES

    def said(self) -> str:
        """Say it in a sentence."""
        sizes = ", ".join(map(str, self.batches))
        return (
            f"largest difference {self.largest:.2g} in [-1, 1], {self.differing:.2%} of 8-bit values differ, by "
            f"{self.levels} of 255 at most ({self.samples} samples in batches of {sizes})"
        )


def measure(graph: Graph, run: Callable[[Sequence[Tensor]], Tensor], *, batches: tuple[int, ...] = BATCHES) -> Parity:
    """Compare a graph's module with its exported form on the same inputs, drawn from a fixed seed.

    Args:
        graph: whose module is the truth.
        run: the exported form.
        batches: sizes of the batches.
    """
    ours, theirs = [], []
    with rng.fork(torch.device("cpu"), seed=rng.derived(0, "parity")), torch.no_grad():
        for size in batches:
            for _ in range(REPEATS):
                given = graph.draw(size)
                ours.append(graph.module(*given))
                theirs.append(run(given))
    one, other = torch.cat(ours), torch.cat(theirs)
    apart = (to_uint8(one).int() - to_uint8(other).int()).abs()
    return Parity(
        largest=float((one - other).abs().max()),
        differing=float((apart > 0).double().mean()),
        levels=int(apart.max()),
        samples=len(one),
        batches=batches,
    )
