"""LeCam regularisation (Tseng et al. 2021): logits of either side keep near the other side's running mean.

With few images the two means part; the penalty bounds how far, and weighs all samples alike.

Source: Tseng et al. 2021, section 3.2 (https://arxiv.org/abs/2104.03310).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.objectives import to_float32
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of

DECAY = 0.99
"""Of the running means of logits."""


class Lecam(Stabiliser):
    """lambda (E(D(x) - a_F)^2 + E(D(G(z)) - a_R)^2), a_R and a_F running means of real and of generated logits.

    The first move of the discriminator has no such term.

    Args:
        value: lambda.
    """

    def __init__(self, value: float = 0.1) -> None:
        super().__init__(value)
        self._means: Tensor | None = None

    def prepare(self, recipe: Recipe) -> None:
        """Require a discriminator."""
        discriminators_of(recipe, self.name)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return the squared distances from the other side's mean."""
        if game.players[name].role != "discriminator" or self._means is None:
            return {}
        real, fake = to_float32(loss.log["real"]), to_float32(loss.log["fake"])
        mean_real, mean_fake = self._means.to(real)
        return {"lecam": self.value * ((real - mean_fake).square().mean() + (fake - mean_real).square().mean())}

    def after(self, name: str, loss: Loss, game: Game[Any]) -> None:
        """Move the means on, the same in all processes."""
        if game.players[name].role == "discriminator":
            present = torch.stack([loss.log[side].float().mean() for side in ("real", "fake")])
            present = game.world.average_(present)
            self._means = present if self._means is None else present.lerp(self._means.to(present), DECAY)

    def state_dict(self) -> dict[str, Any]:
        """Return the running means of real and of generated logits."""
        return {"means": self._means}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self._means = state["means"]
