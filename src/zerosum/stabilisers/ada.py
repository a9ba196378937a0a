"""Adaptive discriminator augmentation (Karras et al. 2020): how often images are varied follows the discriminator.

The mean sign of its logits of real images says how well it knows them: near 0 while it generalises, near 1 when it has
memorised them. A controller keeps it at a target by the probability of each transformation.

Source: Karras et al. 2020, section 3 (https://arxiv.org/abs/2006.06676).

Differs from the paper: a simpler resampling (`zerosum.layers.adaptive_augmentation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.adaptive_augmentation import augmented
from zerosum.loss import Loss
from zerosum.recipe import Objective, Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, require_images, require_objective

OBJECTIVES: tuple[Objective, ...] = ("logistic", "least-squares", "hinge")
"""Losses whose logits of real images say by their sign how well a discriminator knows them."""

CHANNELS = (1, 3)
"""Of images that can be recoloured."""

MOVES = 4
"""Moves of the discriminator between two changes of the probability."""


class Ada(Stabiliser):
    """Geometric and colour transformations of all that the discriminators take, with a probability p that adapts.

    Every fourth move of the discriminator p changes by the images drawn since over `images`: up if the mean sign of the
    real logits was above the target, else down. Logged as `discriminator/ada_p`.

    Args:
        value: the target of the mean sign, below 1.
        images: after which p would have gone from 0 to 1; 100,000 where a trained model is taken up.
    """

    def __init__(self, value: float = 0.6, *, images: int = 500_000) -> None:
        super().__init__(value)
        if value >= 1:
            raise InputError(f"The stabiliser {self.name} got the target {value}: give a number between 0 and 1.")
        self.images = images
        self.p = 0.0
        self._signs: list[Tensor] = []
        self._centre = 0.0

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the discriminators' inputs."""
        networks = discriminators_of(recipe, self.name)
        require_images(recipe, self.name)
        require_objective(recipe, self.name, *OBJECTIVES)
        if recipe.spec.shape[0] not in CHANNELS:
            raise InputError(
                f"--stabilise {self.name} recolours images of 1 or 3 channels, and these have {recipe.spec.shape[0]}: "
                "take diff-augment."
            )
        self._centre = boundary(recipe)
        for network in networks:
            network.register_forward_pre_hook(self._vary)

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Log p."""
        if game.players[name].role == "discriminator":
            loss.log["ada_p"] = torch.tensor(self.p, device=game.device)
        return {}

    def after(self, name: str, loss: Loss, game: Game[Any]) -> None:
        """Adapt p after every fourth move of the discriminator (section 3.1)."""
        if game.players[name].role != "discriminator":
            return
        sign = (loss.log["real"].float() - self._centre).sign().mean()
        self._signs.append(game.world.average_(sign))
        if len(self._signs) == MOVES:
            excess = torch.stack([kept.to(sign) for kept in self._signs]).mean().item() - self.value
            step = MOVES * game.batch / self.images
            self.p = min(1.0, max(0.0, self.p + (step if excess > 0 else -step if excess < 0 else 0.0)))
            self._signs = []

    def state_dict(self) -> dict[str, Any]:
        """Return p, and the signs since it last changed."""
        return {"p": self.p, "signs": list(self._signs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.p, self._signs = state["p"], list(state["signs"])

    def _vary(self, network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return (augmented(inputs[0], self.p), *inputs[1:]) if network.training else None


def boundary(recipe: Recipe) -> float:
    """Return the output of a discriminator that calls a sample neither real nor generated."""
    if recipe.objective != "least-squares":
        return 0.0
    fake, real, *_ = getattr(recipe.config, "targets", (0.0, 1.0))
    return (fake + real) / 2
