"""Two time scales (Heusel et al. 2017): the discriminator learns faster than the generator.

A discriminator that is near its optimum for the generator as it is gives it a gradient that can be followed.

Source: Heusel et al. 2017, section 2 (https://arxiv.org/abs/1706.08500).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zerosum.player import Clock, Player, players_of
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class TwoTimeScales(Stabiliser):
    """The discriminators' learning rate is so many times that of the recipe, at every point of its schedule.

    Args:
        value: the factor; 4 is that of 4e-4 beside 1e-4.
    """

    def __init__(self, value: float = 4.0) -> None:
        super().__init__(value)

    def prepare(self, recipe: Recipe) -> None:
        """Require a discriminator."""
        discriminators_of(recipe, self.name)

    def seat(self, players: Mapping[str, Player]) -> None:
        """Multiply the learning rates of the discriminators' optimizers."""
        for player in players_of(players, "discriminator").values():
            for group in player.optimizer.param_groups:
                group["lr"] *= self.value
            if player.schedule is not None:
                player.schedule = self._faster(player.schedule)

    def _faster(self, schedule: Callable[[Clock], Mapping[str, Any]]) -> Callable[[Clock], Mapping[str, Any]]:
        """Return a schedule whose learning rate is multiplied, where it has one."""

        def faster(clock: Clock) -> Mapping[str, Any]:
            options = dict(schedule(clock))
            return options | {"lr": self.value * options["lr"]} if "lr" in options else options

        return faster
