"""What the trainer asks of evaluations during training."""

from __future__ import annotations

from typing import Protocol

from zerosum.recipe import Recipe


class Evaluator(Protocol):
    """Says how good a recipe is while it is trained."""

    @property
    def best(self) -> str:
        """Which of the figures chooses the best checkpoint."""
        ...

    def figures(self, recipe: Recipe) -> dict[str, float]:
        """Evaluate a recipe in evaluation mode: figures by the names that the history keeps them under."""
        ...

    def is_better(self, value: float, known: float) -> bool:
        """Whether a value of the figure `best` is better than another."""
        ...
