"""Consistency regularisation (Zhang et al. 2020): the discriminator's output is not to change as an image is varied.

Source: Zhang et al. 2020, section 3 (https://arxiv.org/abs/1910.12027).
"""

from __future__ import annotations

from torch import Tensor

from zerosum.layers.augmentation import mirrored, translation
from zerosum.objectives import to_float32
from zerosum.recipe import Recipe
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import require_images


class Consistency(Penalty):
    """lambda E(D(x) - D(T(x)))^2 of real images, where T shifts by up to an eighth of the sides.

    Where the recipe mirrors some of its images, T mirrors one in two; otherwise left and right may not be alike. Both
    outputs are computed anew. Where a discriminator outputs features (InfoGAN's trunk), they are compared.

    Args:
        value: lambda.
    """

    def __init__(self, value: float = 10.0) -> None:
        super().__init__(value)
        self._mirror = False

    def prepare(self, recipe: Recipe) -> None:
        """Watch the discriminators."""
        super().prepare(recipe)
        require_images(recipe, self.name)
        self._mirror = recipe.config.mirror > 0

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        """Return the mean square of D(x) - D(T(x))."""
        x, logits = translation(real.samples), real.at_rest()
        varied = logits(mirrored(x) if self._mirror else x)
        return (to_float32(logits(real.samples)) - to_float32(varied)).square().mean()
