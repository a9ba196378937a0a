"""What an exported graph is: a function of tensors, and the inputs that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from zerosum.recipe import Recipe

Draw = Callable[[int], Tensor]
"""Draws n rows of an input for examples and for parity."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """A tensor that a graph takes."""

    name: str
    shape: tuple[int, ...]
    """Of one row, at the size that the recipe was trained at."""

    draw: Draw = field(repr=False)
    multiple: int | None = None
    """What height and width, the last two axes, are multiples of; None where they are fixed."""

    free_length: bool = False
    """Whether the second axis has any length, as sentences have, at which shorter rows end in zeros."""

    batched: bool = True
    """Whether it has a row a sample; else its shape is `shape`, and it is one for all."""

    default: float | None = None
    """Value at which it changes nothing, where there is one."""

    integer: bool = False
    """Whether it is int64; else float32."""

    kept: float | None = None
    """Of a mask of dropout: the probability that a value is kept."""

    meaning: str
    """What it is, in a sentence for the file."""


class Function(nn.Module):
    """A function of tensors as a module, whose parameters are those of a recipe.

    Args:
        recipe: that the function belongs to.
        function: of the tensors.
    """

    def __init__(self, recipe: Recipe, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.recipe = recipe
        self.function = function
        self.train(recipe.training)

    def forward(self, *tensors: Tensor) -> Tensor:
        """Apply the function; the result is float32."""
        return self.function(*tensors).float()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A recipe's function of tensors alone."""

    name: str
    """Which one, of a recipe with several, such as a direction; "" where there is one."""

    module: nn.Module
    inputs: tuple[Input, ...]
    output: str
    free_size: bool
    """Whether height and width of the inputs can be others than those of the training."""

    def draw(self, n: int) -> tuple[Tensor, ...]:
        """Draw inputs for n samples."""
        return tuple(one.draw(n) for one in self.inputs)

    def fixed(self) -> Graph:
        """Return the same graph with height and width fixed."""
        inputs = tuple(Input(**{**vars(one), "multiple": None}) for one in self.inputs)
        return Graph(name=self.name, module=self.module, inputs=inputs, output=self.output, free_size=False)
