"""Weight penalty: the discriminator's weights are pulled to 0, so that its logits cannot grow without bound.

Source: Krogh & Hertz 1991 (https://proceedings.neurips.cc/paper/1991/hash/8eefcfdf5990e441f0fb6f3fad709e21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class WeightPenalty(Stabiliser):
    """lambda / 2 |w|^2 of the discriminators' weights and biases, in the discriminator's loss.

    Args:
        value: lambda.
    """

    def __init__(self, value: float = 1e-4) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Require a discriminator."""
        discriminators_of(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return lambda / 2 |w|^2."""
        if game.players[name].role != "discriminator":
            return {}
        weights = [weight for network in game.recipe.discriminator_parts() for weight in network.parameters()]
        squares = [weight.float().square().sum() for weight in weights]
        return {"weight_penalty": self.value / 2 * sum(squares[1:], squares[0])}
