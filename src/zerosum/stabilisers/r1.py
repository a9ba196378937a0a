"""R1 (Mescheder et al. 2018): the discriminator's slope at real samples is held near 0.

Where generated samples are distributed as the data, a discriminator with a slope would go on pushing them; with the
penalty gradient descent converges there.

Source: Mescheder et al. 2018, section 4 (https://arxiv.org/abs/1801.04406).
"""

from __future__ import annotations

from torch import Tensor

from zerosum import penalties
from zerosum.recipe import Recipe
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import require_separate_logits


class R1(Penalty):
    """gamma / 2 E|grad D(x)|^2 at real samples, in the discriminator's loss.

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
        """Return E|grad D(x)|^2 / 2 (eq. 9)."""
        return penalties.r1(real.logits, real.samples)
