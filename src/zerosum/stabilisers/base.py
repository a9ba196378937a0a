"""The contract of a stabiliser: what is called when, in the game of any recipe."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.player import Player
from zerosum.recipe import Recipe


class Stabiliser:
    """An addition to the moves of the players that have a role; every method may be left out.

    Hooks on networks are bound methods of the stabiliser, so that a copy of a recipe has a copy of it. Random values
    come from `zerosum.runtime.rng`, one row or more a sample.

    Args:
        value: strength, above 0; its meaning is the subclass's.

    Raises:
        InputError: `value` is not above 0.
    """

    divisible: ClassVar[bool] = True
    """Whether what is added to a loss is a mean over samples (see `Recipe.divisible`)."""

    def __init__(self, value: float = 1.0) -> None:
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"The stabiliser {self.name} got the strength {value}: give a number above 0.")
        self.value = value

    @property
    def name(self) -> str:
        """The class's name in lower case with hyphens: how it is asked for, and its key in a checkpoint."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()

    def prepare(self, recipe: Recipe) -> None:
        """Change the networks of a recipe that was just built: hooks, reparametrisations.

        Raises:
            InputError: this recipe's game cannot be stabilised so.
        """

    def seat(self, players: Mapping[str, Player]) -> None:
        """Change players that were just built, by their names: what they move by, such as learning rates."""

    def before(self, name: str, game: Game[Any]) -> None:
        """Set what a move of player `name` depends on: schedules read `game.clock` and `game.rounds` here."""

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return further terms of player `name`'s loss, of shape () each, under autocast like the loss itself.

        Neither this nor `after` is called in a move on what regularises alone (`Loss`, `lazy`).

        Args:
            name: of the player that moves.
            batch: real samples, or the piece of them that is differentiated now.
            loss: what the recipe's own loss returned, with its graph.
            game: at play; `game.players[name].role` is "generator" or "discriminator".
        """
        return {}

    def after(self, name: str, loss: Loss, game: Game[Any]) -> None:
        """Adapt after player `name` stepped, on `loss` of the whole batch without its graph.

        Where processes share a batch, `game.mean(value)` is the same in all of them.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what later moves depend on: tensors and plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned."""
