"""One-sided label smoothing (Salimans et al. 2016): the discriminator is to be less than certain of real samples.

Smoothing the labels of generated samples too would keep up wrong ones where there are no data; see
`two-sided-label-smoothing`.

Source: Salimans et al. 2016, section 3.4 (https://arxiv.org/abs/1606.03498).
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
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import require_free_targets


class LabelSmoothing(Stabiliser):
    """Real samples get the target 1 - value in place of 1, in the discriminator's cross-entropy.

    Args:
        value: how far the target is from 1: 0.1 for a target of 0.9.
    """

    def __init__(self, value: float = 0.1) -> None:
        super().__init__(value)
        if value >= 0.5:
            raise InputError(f"The stabiliser {self.name} got {value}: give a number above 0 and below 0.5.")

    def prepare(self, recipe: Recipe) -> None:
        """Require the logistic loss, with the targets 1 and 0."""
        require_free_targets(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return value E r: cross-entropy with a target of 1 - value is sp(-r) + value r."""
        if game.players[name].role != "discriminator":
            return {}
        return {"label_smoothing": self.value * to_float32(loss.log["real"]).mean()}
