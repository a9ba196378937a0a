"""Filling holes in images: the task, and the base class of its recipes."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from zerosum.recipe import Recipe
from zerosum.tasks.base import Task

INPAINT = Task(
    name="inpaint",
    method="complete",
    does="fills holes in images",
    invitation="Fill holes in images",
    command="zerosum inpaint {run} INPUT --mask MASK",
    python="model.complete(images, mask)    # (N, C, H, W) in [-1, 1] and (N, 1, H, W), 1 where there is a hole",
    given="images",
    paired=True,
    keeps=True,
)


class InpaintingRecipe(Recipe):
    """A recipe that fills holes in images. In place of `sample` it has `complete`."""

    task = INPAINT

    @abstractmethod
    def complete(self, images: Tensor, mask: Tensor) -> Tensor:
        """Fill (N, C, H, W) images in [-1, 1] where the (N, 1, H, W) mask is 1, and leave all else as it is."""
