"""R1 without a second derivative: the discriminator's difference under a little noise stands for its slope.

Source: Lin et al. 2025 (https://arxiv.org/abs/2501.08316).

Differs from the paper: the difference is divided by the noise's deviation, so that the weight is R1's.
"""

from __future__ import annotations

from torch import Tensor

from zerosum import penalties
from zerosum.recipe import Recipe
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import require_separate_logits


class ApproximateR1(Penalty):
    """gamma / 2 E(D(x + sigma e) - D(x))^2 / sigma^2 at real samples, with a sigma of 0.01.

    Its price is two more passes through the discriminator, in float32, and their gradient: of kernels that cannot be
    differentiated twice, and where that takes too much memory. Its mean is R1's; one sample's estimate varies by
    sqrt(2) times its mean, a batch's of 64 by 18 %.

    Args:
        value: gamma, as of `r1`.
    """

    def __init__(self, value: float = 10.0) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Watch the discriminators."""
        require_separate_logits(recipe, self.name)
        super().prepare(recipe)

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        """Return the estimate of E|grad D(x)|^2 / 2."""
        return penalties.approximate_r1(real.at_rest(), real.samples)
