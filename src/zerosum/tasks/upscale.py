"""Making images larger: the task, and the base class of its recipes."""

from __future__ import annotations

from abc import abstractmethod

from zerosum.tasks.base import Task
from zerosum.tasks.translate import TranslationRecipe

UPSCALE = Task(
    name="upscale",
    method="translate",
    does="makes images larger",
    invitation="Upscale images",
    command="zerosum upscale {run} INPUT --out OUTPUT",
    python="model.translate(small)    # (N, C, fH, fW) in [-1, 1], from (N, C, H, W) of the same range",
    given="images",
    paired=True,
)


class UpscalingRecipe(TranslationRecipe):
    """A recipe that makes images of any size larger."""

    task = UPSCALE
    factor: int
    """How many times as large."""

    @property
    def size_multiple(self) -> int:
        """Sides of a source can be of any size."""
        return 1

    @property
    @abstractmethod
    def radius(self) -> int:
        """How far, in pixels of a source, a pixel of the result looks beyond the one that it lies in."""
