"""Gradient penalty (Gulrajani et al. 2017): the discriminator's slope between real and generated samples is held at 1.

Source: Gulrajani et al. 2017, section 4 (https://arxiv.org/abs/1704.00028).
"""

from __future__ import annotations

from torch import Tensor

from zerosum import penalties
from zerosum.recipe import Recipe
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import require_separate_logits


class GradientPenalty(Penalty):
    """lambda E(|grad D(x^)| - 1)^2 at places x^ between a real and a generated sample each.

    Further inputs of the discriminator, such as labels, are those of the real samples.

    Args:
        value: lambda.
    """

    def __init__(self, value: float = 10.0) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Watch the discriminators."""
        require_separate_logits(recipe, self.name)
        super().prepare(recipe)

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        """Return E(|grad D(x^)| - 1)^2 (eq. 3)."""
        return penalties.gradient_penalty(real.logits, real.samples, fake.samples.detach())
