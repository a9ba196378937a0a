"""Images of a text, in chunks: the same for the same seed."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.inference.generate import CHUNK, SAMPLES
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import PAINT, painter, require_task


def paint(recipe: Recipe, text: str, n: int, seed: int) -> Tensor:
    """Make (n, *shape) images of a text, in float32 in [-1, 1] on the CPU; the first ones whatever n is.

    Args:
        recipe: in evaluation mode.
        text: what to paint.
        n: how many.
        seed: of the latents.

    Raises:
        InputError: the recipe does not paint, or there is no text.
    """
    require_task(type(recipe), None, PAINT)
    with rng.fork(recipe.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        chunks = [painter(recipe).paint(text, CHUNK).float().cpu() for _ in range(-(-n // CHUNK))]
    return torch.cat(chunks)[:n]
