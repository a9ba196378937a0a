"""Making images from text: the task, and the base class of its recipes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from zerosum.data.sentences import WordReader, unpacked
from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.tasks.base import Task

PAINT = Task(
    name="paint",
    method="paint",
    does="makes images from text",
    invitation="Paint what a text says",
    command='zerosum paint {run} "TEXT" -n 8',
    python='model.paint("TEXT", n=8)    # (8, *shape) in [-1, 1]',
    given="text",
    paired=False,
)


@dataclass(frozen=True, kw_only=True)
class TextFunction:
    """What a recipe makes of a text, as a function of tensors alone."""

    reader: WordReader
    """Makes the numbers of words (N, L) of sentences."""

    noise: Mapping[str, int]
    """Values in a row of each draw from N(0, 1), by name, in the order in which `paint` draws them."""

    function: Callable[..., Tensor]
    """Maps words (N, L) int64, zeros behind, and the noise, (N, width) each, to images (N, *shape)."""


class PaintingRecipe(Recipe):
    """A recipe that makes images from text. In place of `sample` it has `paint`."""

    task = PAINT

    @abstractmethod
    def paint(self, text: str, n: int = 8) -> Tensor:
        """Make (n, *shape) images of a text, in [-1, 1]: the same function as in previews and in metrics.

        Args:
            text: a sentence, such as those of the data.
            n: how many.
        """

    @abstractmethod
    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the text encoder has not been trained on, each once."""

    def text_function(self) -> TextFunction:
        """Return the function of words and noise that paints, so that it can be exported as a graph.

        Raises:
            InputError: this recipe has none, or sentences are encoded by a model that is not part of the run.
        """
        raise InputError("This recipe has no function of words and noise alone (text_function): use zerosum paint.")

    def preview_columns(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): two images of each caption, and the real one."""
        fake, real = self.fake_and_real(batch)
        return fake, self.fake_and_real(batch)[0], real

    def preview_texts(self, batch: Any) -> tuple[str, ...]:
        """Return what the images of a preview are made from, in its order."""
        return tuple(unpacked(batch.caption))
