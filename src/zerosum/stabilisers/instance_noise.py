"""Instance noise (Sønderby et al. 2017; Arjovsky & Bottou 2017): the discriminator's input is blurred by noise.

Data and samples that lie on manifolds of their own can be told apart perfectly, and then the discriminator's gradient
is no guide. Gaussian noise on both gives their distributions a common support; it fades as they come closer.

Sources: Sønderby et al. 2017, section 3 (https://arxiv.org/abs/1610.04490); Arjovsky & Bottou 2017, section 3
(https://arxiv.org/abs/1701.04862).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zerosum.game import Game
from zerosum.optim.schedules import linear
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class InstanceNoise(Stabiliser):
    """Gaussian noise on all that the discriminators take in training, falling in a line to 0.

    Args:
        value: standard deviation at the start, in units of the data ([-1, 1] for images).
        share: of the run's rounds after which it is 0.
    """

    def __init__(self, value: float = 0.1, *, share: float = 0.5) -> None:
        super().__init__(value)
        self.share = share
        self.sigma = value

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the discriminators' inputs."""
        for network in discriminators_of(recipe, self.name):
            network.register_forward_pre_hook(self._blur)

    def before(self, name: str, game: Game[Any]) -> None:
        """Set the standard deviation of this round."""
        self.sigma = linear(game.clock.round / max(1.0, self.share * game.rounds), start=self.value, stop=0.0)

    def _blur(self, network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not (network.training and self.sigma):
            return None
        x: Tensor = inputs[0]
        noise = rng.normal(len(x), *x.shape[1:], device=x.device).to(x.dtype)
        return x + self.sigma * noise, *inputs[1:]
