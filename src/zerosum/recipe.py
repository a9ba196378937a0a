"""The contract of a recipe: one paper in one file, and an nn.Module whose children are its networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum.config import BaseConfig
from zerosum.data.batch import Batch, Images
from zerosum.data.jitter import Jitter
from zerosum.data.spec import Spec
from zerosum.player import Player

if TYPE_CHECKING:
    from zerosum.game import Game


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of rounds played the same way."""

    name: str
    rounds: int
    play: Callable[[Game[Any]], None]
    batch: int | None = None
    """Samples per draw over all processes; None: the recipe's."""
    reset_optimizers: tuple[str, ...] = ()
    """Players that start this phase with a forgetful optimizer."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(BaseConfig):
    """What every recipe lets its user set."""

    rounds: PositiveInt = 10_000
    """Rounds to play: passes through the paper's algorithm box."""

    batch: PositiveInt = 64
    """Real samples per draw, over all processes."""


class Recipe(nn.Module, ABC):
    """One paper: networks, players, the round, and how to sample. Its state_dict is the whole model."""

    Config: ClassVar[type[RecipeConfig]] = RecipeConfig
    """Frozen dataclass with a docstring under each field; the defaults are the paper's."""

    data: ClassVar[tuple[type[Batch], ...]] = (Images,)
    """The kinds of batch that this recipe plays on."""

    divisible: ClassVar[bool] = True
    """Whether each loss is a mean over samples, so that pieces of a batch may be differentiated apart. Where it is not,
    every process plays with the whole batch."""

    minibatch_group: int = 1
    """Neighbours in a batch that a loss looks at together: a piece of a batch holds a multiple of them."""

    sample: Callable[..., Tensor]
    """Generates (n, *shape) samples in [-1, 1]. Its signature is the command line: keywords are the user's controls."""

    def __init__(self, config: RecipeConfig, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Return who moves, by name; called once, when the networks stand on their device."""

    @abstractmethod
    def round(self, game: Game[Any]) -> None:
        """Play the paper's algorithm box once, with `game.draw()` and `game.move(...)`."""

    def phases(self) -> Sequence[Phase]:
        """Return the stretches of rounds, in order."""
        return [Phase(name="main", rounds=self.config.rounds, play=self.round)]

    def fake_and_real(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return samples and the real ones to hold them against, both (N, *shape), for previews and metrics."""
        return self.sample(len(batch)), batch.real

    @property
    def jitter(self) -> Jitter:
        """How real images are varied each time they are drawn: here not at all."""
        return Jitter()

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said when training starts, one sentence each."""
        return ()

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device
