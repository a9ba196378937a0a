"""Historical averaging (Salimans et al. 2016): every player's weights keep near their mean over the game.

Players that circle an equilibrium come to rest when each is pulled to where it was on average.

Source: Salimans et al. 2016, section 3.3 (https://arxiv.org/abs/1606.03498).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.stabilisers.base import Stabiliser


class HistoricalAveraging(Stabiliser):
    """Squared distance of a player's weights from the mean of what they were after each of its steps.

    Args:
        value: weight of the term, which the paper leaves open.
    """

    def __init__(self, value: float = 0.001) -> None:
        super().__init__(value)
        self.steps: dict[str, int] = {}
        self.means: dict[str, list[Tensor]] = {}

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return |w - 1/t sum w_i|^2 over all of the player's weights (section 3.3)."""
        if name not in self.means:
            return {}
        pairs = zip(game.players[name].parameters, self.means[name], strict=True)
        distances = torch.stack([(weight - mean.to(weight)).square().sum() for weight, mean in pairs])
        return {"historical_averaging": self.value * distances.sum()}

    @torch.no_grad()
    def after(self, name: str, loss: Loss, game: Game[Any]) -> None:
        """Move the mean on."""
        weights = game.players[name].parameters
        self.steps[name] = self.steps.get(name, 0) + 1
        means = [mean.to(weight) for mean, weight in zip(self.means.get(name, weights), weights, strict=True)]
        self.means[name] = [m.lerp(w, 1 / self.steps[name]) for m, w in zip(means, weights, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return each player's steps and the mean of its weights."""
        return {"steps": dict(self.steps), "means": dict(self.means)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.steps, self.means = dict(state["steps"]), dict(state["means"])
