"""A rehearsal: rounds of a recipe's own game played on a copy of it, in which only some players may step, or none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from zerosum.data.batch import Batch
from zerosum.data.dataset import Drawable
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.recipe import Recipe
from zerosum.runtime import rng

Heard = Callable[[str, Loss], None]
"""Told of every move: who it is, and what its loss says."""


class Replay(Game[Any]):
    """A game on a copy of a recipe, in its last phase. Every loss is computed; few players, or none, may step.

    The recipe itself is not touched, its players' optimizers neither: those of the copy start without memory. Networks
    are in training mode, so that losses are those of the game: batch norm sees one batch, dropout drops.

    Args:
        recipe: as trained, or not.
        data: to draw real samples from.
        steps: how many steps each player may take, by name; whoever is not named takes none.
        heard: told of every move.
        seed: of the order of the data.
    """

    def __init__(
        self, recipe: Recipe, data: Drawable, *, steps: Mapping[str, int], heard: Heard = lambda _, __: None, seed: int
    ) -> None:
        played = copy.deepcopy(recipe).train()
        super().__init__(played, Stream(data, seed=seed, jitter=played.jitter))
        phases = list(played.phases())
        self._play = phases[-1].play
        self.begin_phase(len(phases) - 1, phases[-1])
        self.clock.round = self.rounds  # what changes over a run is as at its end
        self._left = dict(steps)
        self._heard = heard

    @property
    def exhausted(self) -> bool:
        """Whether every step that was allowed has been taken."""
        return not any(self._left.values())

    def gradient(self, name: str, loss: Callable[..., Loss], batch: Batch, **givens: Any) -> Loss:
        """Compute the gradient of a move, and tell what its loss says."""
        result = super().gradient(name, loss, batch, **givens)
        self._heard(name, result)
        return result

    def step(self, name: str) -> None:
        """Let player `name` step if it may."""
        if self._left.get(name, 0):
            self._left[name] -= 1
            super().step(name)

    def play_until(self, done: Callable[[], bool], *, seed: int) -> Recipe:
        """Play rounds until `done`, on a random state of their own; return the copy as it then is, at rest."""
        try:
            with rng.fork(self.device, seed=seed):
                while not done():
                    self._play(self)
                    self.end_round()
        finally:
            self.source.close()
        return self.recipe.eval()
