"""Noisy labels (Salimans et al. 2016; a common trick): targets are drawn for each sample, inside of 0 and 1.

Noise that goes outside leaves the loss without a lower bound.

Sources: Salimans et al. 2016, section 3.4 (https://arxiv.org/abs/1606.03498);
https://github.com/soumith/ganhacks, number 6.
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


class LabelNoise(Stabiliser):
    """Real samples get targets from U[1 - value, 1], generated ones from U[0, value].

    Args:
        value: width of the two ranges.
    """

    def __init__(self, value: float = 0.3) -> None:
        super().__init__(value)
        if value >= 1.0:
            raise InputError(f"The stabiliser {self.name} got {value}: give a number above 0 and below 1.0.")

    def prepare(self, recipe: Recipe) -> None:
        """Require the logistic loss, with the targets 1 and 0."""
        require_free_targets(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return value (E u r - E u' f) with u, u' ~ U[0, 1]."""
        if game.players[name].role != "discriminator":
            return {}
        real, fake = to_float32(loss.log["real"]), to_float32(loss.log["fake"])
        mine, other = (
            rng.uniform(len(x), *[1] * (x.ndim - 1), device=x.device, high=self.value).to(x) for x in (real, fake)
        )
        return {"label_noise": (mine * real).mean() - (other * fake).mean()}
