"""R2 (Mescheder et al. 2018): the discriminator's slope at generated samples is held near 0.

Source: Mescheder et al. 2018, section 4 (https://arxiv.org/abs/1801.04406).
"""

from __future__ import annotations

from torch import Tensor

from zerosum import penalties
from zerosum.recipe import Recipe
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import require_separate_logits


class R2(Penalty):
    """gamma / 2 E|grad D(G(z))|^2 at generated samples, in the discriminator's loss.

    Args:
        value: gamma.
    """

    def __init__(self, value: float = 10.0) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Watch the discriminators."""
        require_separate_logits(recipe, self.name)
        super().prepare(recipe)

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        """Return E|grad D(G(z))|^2 / 2 (eq. 10)."""
        return penalties.r2(fake.logits, fake.samples)
