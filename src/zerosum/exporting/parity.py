"""Parity: how far what an exported graph computes lies from what the recipe computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.batch import to_uint8
from zerosum.exporting.inputs import Graph
from zerosum.recipe import Recipe
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
    """Largest absolute difference of a value of the samples; not finite where a value is not."""

    differing: float
    """Share of the 8-bit values that differ."""

    levels: int
    """Largest difference of an 8-bit value."""

    samples: int

    span: float = 1.0
    """8-bit values divide [-span, span]: 1 for images, and the largest value of samples in the data's units."""

    batches: tuple[int, ...] = BATCHES

    def said(self) -> str:
        """Say it in a sentence."""
        sizes, ends = ", ".join(map(str, self.batches)), f"[-{self.span:.3g}, {self.span:.3g}]"
        return (
            f"largest difference {self.largest:.2g} in {ends}, {self.differing:.2%} of 8-bit values differ, by "
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
    recipe = cast(Recipe, graph.module.recipe)
    pictures = kinds.find(recipe.spec.kind).pictures  # whose values beyond [-1, 1] are drawn as its ends
    span = 1.0 if pictures else max(1.0, float(one.abs().max().nan_to_num()))
    apart = (to_uint8(one / span).int() - to_uint8(other / span).int()).abs()
    return Parity(
        largest=float((one - other).abs().max()),
        differing=float((apart > 0).double().mean()),
        levels=int(apart.max()),
        samples=len(one),
        span=span,
        batches=batches,
    )
