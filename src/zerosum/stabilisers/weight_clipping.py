"""Weight clipping (Arjovsky et al. 2017): the discriminator's slope is bounded by bounding its weights.

Source: Arjovsky et al. 2017, algorithm 1 (https://arxiv.org/abs/1701.07875).
"""

from __future__ import annotations

from typing import Any

from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.penalties import clip_weights_
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class WeightClipping(Stabiliser):
    """Every weight of the discriminators is clipped after each of their steps.

    Args:
        value: the largest magnitude; all weights lie in [-value, value].
    """

    def __init__(self, value: float = 0.01) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Require a discriminator."""
        discriminators_of(recipe, self.name)

    def after(self, name: str, loss: Loss, game: Game[Any]) -> None:
        """Clip (line 7)."""
        if game.players[name].role == "discriminator":
            for network in game.recipe.discriminator_parts():
                clip_weights_(network, self.value)
