"""The contract of a recipe: one paper in one file, and an nn.Module whose children are its networks."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import torch
from annotated_types import Interval
from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum.config import BaseConfig, Fraction
from zerosum.data.batch import Batch, Images
from zerosum.data.jitter import Jitter
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.player import Player

if TYPE_CHECKING:
    from zerosum.game import Game
    from zerosum.stabilisers.base import Stabiliser
    from zerosum.tasks import Task


Objective = Literal["logistic", "least-squares", "hinge", "wasserstein", "relativistic"]
"""Losses of `zerosum.objectives`: logistic is the minimax discriminator with the non-saturating generator."""


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

    enlarge: Annotated[float, Interval(ge=1, le=4)] = 1.0
    """Factor by which images are enlarged before they are cropped to their size at a random place; 1 crops nothing."""

    mirror: Fraction = 0.0
    """Share of the draws that are mirrored left to right; 0 where left and right are not alike."""

    rotate: Fraction = 0.0
    """Share of the draws that are turned by 90, 180 or 270 degrees, by 180 where height and width differ; for images
    without an upright side, as from above or of a microscope."""


class Recipe(nn.Module, ABC):
    """One paper: networks, players, the round, and how to sample. Its state_dict is the whole model.

    Players of the adversarial game have a role. The loss of one with the role discriminator logs its logits under
    `real` and `fake`, (N, ...) each with a row or more a sample: probes and stabilisers read them. It shows each of
    `discriminators()` the real samples first and as many generated ones next, in one batch or in two.
    """

    Config: ClassVar[type[RecipeConfig]] = RecipeConfig
    """Frozen dataclass with a docstring under each field; the defaults are the paper's."""

    data: ClassVar[tuple[type[Batch], ...]] = (Images,)
    """The kinds of batch that this recipe plays on."""

    task: ClassVar[Task]
    """What the recipe is for: set by the base classes of `zerosum.tasks`; generating samples where none of them is."""

    objective: Objective | None = None
    """The loss of the players with a role, for stabilisers that depend on it; None where it is another. A recipe whose
    settings choose the loss sets it in its constructor."""

    takes_attributes: ClassVar[bool] = False
    """Whether a conditional recipe takes labels of several attributes, (N, A) int64 of 0 and 1, too."""

    divisible: bool = True
    """Whether each loss is a mean over samples, so that pieces of a batch may be differentiated apart. Where it is not,
    every process plays with the whole batch."""

    stabilisers: tuple[Stabiliser, ...] = ()
    """What is added to the paper's game to keep it stable; `zerosum.stabilisers.apply` sets it."""

    minibatch_group: int = 1
    """Neighbours in a batch that a loss looks at together: a piece of a batch holds a multiple of them."""

    _follows: bool = False
    """Whether the networks bring what they are given to their own type of number."""

    sample: Callable[..., Tensor]
    """Generates (n, *shape) samples in [-1, 1]. Its signature is the command line: keywords are the user's controls.

    A conditional recipe has `sample(n, *, label: str | int | None = None, labels: Tensor | None = None)`: `label`, one
    class for all samples, is a person's control; `labels`, (n,) int64 in [0, K), is what previews, metrics and
    `generate` pass, because tensors are no controls. With neither, classes are drawn by the shares of the training
    data. Where it takes attributes, `label` names those that are 1, with commas between, and `labels` is (n, A)."""

    def __init__(self, config: RecipeConfig, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or convert; once the networks are of another type than float32, they take draws and images of float32.

        So `load(run).double().sample(4)` computes in float64, and returns it.
        """
        moved = super()._apply(fn, recurse)
        numbers = [parameter for parameter in self.parameters() if parameter.is_floating_point()]
        if not self._follows and any(parameter.dtype != torch.float32 for parameter in numbers):
            self._follows = True
            for module in self.modules():
                if module is not self:
                    module.register_forward_pre_hook(_in_own_type, with_kwargs=True)
        return moved

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Return who moves, by name; called once, when the networks stand on their device."""

    def checked_players(self) -> dict[str, Player]:
        """Return `players()`, once it is seen that what they move is the recipe's own.

        Raises:
            InputError: there are no players, or one moves weights that the recipe does not hold: they would stay on the
                CPU, and no checkpoint would keep them.
        """
        players, name = self.players(), type(self).__name__
        if not isinstance(players, dict) or not players:
            raise InputError(
                f'{name}.players() returns {players!r}: return a dict, such as {{"generator": Player(...)}}.'
            )
        own = {id(parameter) for parameter in self.parameters()}
        for player, moved in players.items():
            if any(id(parameter) not in own for parameter in moved.parameters):
                raise InputError(
                    f"{name}: the player {player!r} moves weights that are not the recipe's, and no checkpoint would "
                    "keep them: make each network an attribute of the recipe in its constructor (self.generator = ...) "
                    "and several of them an nn.ModuleList or nn.ModuleDict in place of a list or dict."
                )
        for stabiliser in self.stabilisers:
            stabiliser.seat(players)
        return players

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit; by default none."""
        return ()

    def discriminator_parts(self) -> tuple[nn.Module, ...]:
        """Return all networks between a sample and its logit: `discriminators`, and what follows them."""
        return self.discriminators()

    def real_inputs(self, batch: Any) -> tuple[Tensor, ...]:
        """Return what each of `discriminators()` takes of the real samples, (N, ...) each."""
        return (batch.real,) * len(self.discriminators())

    def take_reference(self, batch: Any) -> None:
        """Fix the reference of virtual batch norm by 64 real samples, before the first round; there is none here."""

    @abstractmethod
    def round(self, game: Game[Any]) -> None:
        """Play the paper's algorithm box once, with `game.draw()` and `game.move(...)`."""

    def phases(self) -> Sequence[Phase]:
        """Return the stretches of rounds, in order."""
        return [Phase(name="main", rounds=self.config.rounds, play=self.round)]

    def cost(self, number: int) -> float:
        """Return what a round costs, by its number from 0, in units of most rounds: where few are much longer."""
        return 1.0

    def lazy_moves(self, number: int) -> tuple[str, ...]:
        """Return the names of a round's moves on what regularises alone (`Loss`, `lazy`), by its number from 0."""
        return ()

    def fake_and_real(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return samples and real ones, of the same labels where `sample` takes labels: both (N, *shape)."""
        given = {"labels": batch.label} if self.takes_labels else {}
        return self.sample(len(batch), **given), batch.real

    @property
    def takes_labels(self) -> bool:
        """Whether the recipe is conditional: its data have labels, and its method at use takes `labels`."""
        return bool(self.spec.label_width) and self.is_conditional()

    @classmethod
    def is_conditional(cls) -> bool:
        """Whether the method at use takes `labels`."""
        method = getattr(cls, cls.task.method, None)
        return method is not None and "labels" in inspect.signature(method).parameters

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Stay in evaluation mode, without gradients; each module is put back into its mode afterwards."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            for module, training in modes:
                module.training = training

    def preview_columns(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, *shape): samples alone, or each result among what it is made of."""
        return self.fake_and_real(batch)[:1]

    @property
    def jitter(self) -> Jitter:
        """How real images are varied each time they are drawn."""
        return Jitter(enlarge=self.config.enlarge, mirror=self.config.mirror, rotate=self.config.rotate)

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said when training starts, one sentence each."""
        return ()

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device


def _in_own_type(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    """Bring the floating-point tensors that a module is given to the type of its first weight."""
    dtype = next((weight.dtype for weight in module.parameters() if weight.is_floating_point()), None)

    def own(value: Any) -> Any:
        return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value

    return tuple(map(own, given)), {name: own(value) for name, value in named.items()}
