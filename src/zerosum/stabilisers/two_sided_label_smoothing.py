"""Label smoothing on both sides (Szegedy et al. 2016): the discriminator is to be certain of nothing.

Salimans et al. warn that the smooth label of generated samples gives wrong ones no incentive to move where there are
no data.

Sources: Szegedy et al. 2016, section 7 (https://arxiv.org/abs/1512.00567); Salimans et al. 2016, section 3.4
(https://arxiv.org/abs/1606.03498).
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


class TwoSidedLabelSmoothing(Stabiliser):
    """Real samples get the target 1 - value, generated ones the target value.

    Args:
        value: how far the targets are from 1 and 0.
    """

    def __init__(self, value: float = 0.1) -> None:
        super().__init__(value)
        if value >= 0.5:
            raise InputError(f"The stabiliser {self.name} got {value}: give a number above 0 and below 0.5.")

    def prepare(self, recipe: Recipe) -> None:
        """Require the logistic loss, with the targets 1 and 0."""
        require_free_targets(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return value (E r - E f)."""
        if game.players[name].role != "discriminator":
            return {}
        real, fake = to_float32(loss.log["real"]), to_float32(loss.log["fake"])
        return {"two_sided_label_smoothing": self.value * (real.mean() - fake.mean())}
