"""Flipped labels: some real samples are called generated, and the other way round, in the discriminator's moves.

Source: https://github.com/soumith/ganhacks, number 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.objectives import to_float32
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import require_free_targets


class LabelFlips(Stabiliser):
    """Each sample's target is swapped with a probability, in the discriminator's cross-entropy.

    Args:
        value: probability of a swap.
    """

    def __init__(self, value: float = 0.05) -> None:
        super().__init__(value)
        if value >= 0.5:
            raise InputError(f"The stabiliser {self.name} got {value}: give a number above 0 and below 0.5.")

    def prepare(self, recipe: Recipe) -> None:
        """Require the logistic loss, with the targets 1 and 0."""
        require_free_targets(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return E m r - E m' f, where m is 1 for the samples whose targets are swapped."""
        if game.players[name].role != "discriminator":
            return {}
        real, fake = to_float32(loss.log["real"]), to_float32(loss.log["fake"])
        mine, other = (
            (rng.uniform(len(x), *[1] * (x.ndim - 1), device=x.device) < self.value).to(x) for x in (real, fake)
        )
        return {"label_flips": (mine * real).mean() - (other * fake).mean()}
