"""The game: real samples to draw, players to move. The only place that differentiates a loss and steps a player."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.stream import Source
from zerosum.errors import DivergedError
from zerosum.loss import Loss, LossMeter, merge, require_loss, require_terms
from zerosum.micro_batches import pieces
from zerosum.player import Clock, Player, lost_weights
from zerosum.recipe import Phase, Recipe
from zerosum.runtime import rng
from zerosum.runtime.distributed import World

if TYPE_CHECKING:
    from zerosum.stabilisers.base import Stabiliser

B = TypeVar("B", bound=Batch)


class Game(Generic[B]):
    """A recipe at play.

    Args:
        recipe: on its device already.
        source: of real samples.
        world: the processes that play together.
        precision: torch.bfloat16 runs the networks under autocast; torch.float32 does not.
        memory_format: of image batches and convolution weights.
        micro_batches: pieces in which a batch is differentiated, to save memory.
    """

    def __init__(
        self,
        recipe: Recipe,
        source: Source,
        *,
        world: World | None = None,
        precision: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
        micro_batches: int = 1,
    ) -> None:
        self.recipe = recipe
        self.source = source
        self.world = world or World()
        self.clock = Clock()
        self.batch = recipe.config.batch
        self.device = recipe.device
        self.players: dict[str, Player] = recipe.checked_players()
        self.rounds = sum(phase.rounds for phase in recipe.phases())
        self.waited = 0.0  # seconds that rounds waited for real samples, in this process
        self._precision = precision
        self._memory_format = memory_format
        self._micro_batches = micro_batches
        self._mover: str | None = None
        self._tally = LossMeter()
        self._unchecked: list[tuple[int, str, Loss]] = []
        self._untaken: dict[str, Loss] = {}

    def draw(self) -> B:
        """Return the next real samples (this process's share), on the device, as float in [-1, 1]."""
        began = time.perf_counter()
        batch = self.source.draw(self.batch)
        self.waited += time.perf_counter() - began
        self.clock.seen += self.batch
        return batch.to(self.device, self._memory_format)  # type: ignore[return-value]

    def move(self, name: str, loss: Callable[..., Loss], batch: B, **inputs: Any) -> Loss:
        """Let player `name` take one step down `loss(batch, **inputs)`; return its terms, without their graph.

        Only the mover's parameters require gradients meanwhile, so whatever belongs to others is a constant. An input
        that is a tensor (N, ...) has a row a sample, and is cut into pieces as the batch is.

        Raises:
            DivergedError: a term is not finite.
            ValueError: there is no player of that name.
            TypeError: `loss` returns no `Loss` of terms of shape (), one of which depends on the mover's weights.
        """
        result = self.gradient(name, loss, batch, **inputs)
        self.step(name)
        return result

    def gradient(self, name: str, loss: Callable[..., Loss], batch: B, **inputs: Any) -> Loss:
        """Compute the gradient of a move without taking it, for players who move at the same time."""
        if name not in self.players:
            raise ValueError(f"game.move({name!r}, ...): players() has no such name, but {', '.join(self.players)}")
        player = self.players[name]
        self._require_gradients_of(name)
        for stabiliser in self._stabilisers(name):
            stabiliser.before(name, self)
        player.drop_gradients()
        share = self.world if self.recipe.divisible else World()
        cut = pieces(batch, inputs, parts=self._micro_batches, world=share, device=self.device)
        parts = [(weight, self._differentiate(name, loss, piece, its, weight)) for weight, piece, its in cut]
        self.world.average_gradients(player.parameters)
        result = merge(parts)
        self._tally.add(name, result)
        self._untaken[name] = result
        self._unchecked.append((self.clock.round + 1, name, result))
        if self.device.type == "cpu":  # elsewhere reading a value stalls the device: `end_round` looks one round later
            self.check()
        return result

    def step(self, name: str) -> None:
        """Let player `name` step along the gradients that stand, and log their norm."""
        loss = self._untaken.pop(name)
        norm = self.players[name].step(self.clock, average=not loss.lazy)
        self._tally.count(f"{name}/gradient_norm", norm)
        for stabiliser in () if loss.lazy else self._stabilisers(name):
            stabiliser.after(name, loss, self)

    def mean(self, value: Tensor) -> float:
        """Return the mean of `value` over batch and processes: the only kind of value a round may branch on."""
        return self.world.average_(value.detach().float().mean()).item()

    def autocast(self) -> torch.autocast:
        """Return the context in which the networks run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._precision == torch.bfloat16)

    def environment(self) -> dict[str, str | int]:
        """Say under which conditions the game is played, for run.json."""
        return {
            "device": str(self.device),
            "precision": str(self._precision).removeprefix("torch."),
            "memory_format": str(self._memory_format).removeprefix("torch."),
            "processes": self.world.size,
            "micro_batches": self._micro_batches,
        }

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the running averages in the networks' place: the recipe in evaluation mode, without gradients."""
        with ExitStack() as stack:
            stack.enter_context(self.recipe.evaluating())
            for player in self.players.values():
                stack.enter_context(player.averaged())
            yield

    def begin_phase(self, index: int, phase: Phase) -> None:
        """Begin a phase, or go on with it when the clock stands in it already."""
        if index != self.clock.phase:
            self.clock.phase, self.clock.phase_round = index, 0
        if self.clock.phase_round == 0:
            for name in phase.reset_optimizers:
                self.players[name].reset_optimizer()
        self.clock.phase_rounds = phase.rounds
        self.batch = phase.batch or self.recipe.config.batch

    def end_round(self) -> None:
        """Wind the clock, and look at the losses of rounds before this one that were not looked at yet."""
        if self.device.type != "cpu":
            present = [entry for entry in self._unchecked if entry[0] > self.clock.round]
            self._unchecked = self._unchecked[: len(self._unchecked) - len(present)]
            self.check()
            self._unchecked = present
        self.clock.round += 1
        self.clock.phase_round += 1

    def collect(self) -> dict[str, float]:
        """Return the means of what was logged since the last call, over moves and processes: {"player/term": ...}."""
        return self._tally.collect(self.world)

    def check(self) -> None:
        """Look at the losses that were not looked at yet; raise DivergedError if a term is not finite."""
        unchecked, self._unchecked = self._unchecked, []
        if not unchecked:
            return
        # All processes look at the same numbers, in one message, so that none goes on without the others.
        terms = [(round_, name, term) for round_, name, loss in unchecked for term in loss]
        values = torch.stack([value.float() for _, _, loss in unchecked for value in loss.values()])
        for (round_, name, term), value in zip(terms, self.world.average_(values).tolist(), strict=True):
            if not math.isfinite(value):
                weights = lost_weights(self.players, self.recipe)
                lost = f", and so are weights of {weights}" if weights else ""
                raise DivergedError(f"The term {term!r} of {name}'s loss is {value} in round {round_}{lost}")

    def check_weights(self) -> None:
        """Look at every weight, and at what batch norm and running averages outputs beside them.

        Raises:
            DivergedError: one is not finite.
        """
        self.check()
        for name, player in self.players.items():
            kept = [tensor for network in player.networks for tensor in network.state_dict().values()]
            finite = all(bool(tensor.isfinite().all()) for tensor in (*kept, *player.average.values()))
            if self.world.any(not finite):  # what batch norm keeps differs among processes
                lost = lost_weights(self.players, self.recipe)
                after = f"after round {self.clock.round}" + (f": {lost}" if lost else "")
                raise DivergedError(f"A weight of {name} is no longer finite {after}")

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a later round depends on, but for the recipe's own weights."""
        state = {
            "players": {name: player.state_dict() for name, player in self.players.items()},
            "clock": vars(self.clock).copy(),
            "position": self.source.position,
            "random": self.world.gather(rng.state(self.device)),
        }
        if self.recipe.stabilisers:
            state["stabilisers"] = {s.name: s.state_dict() for s in self.recipe.stabilisers}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned. The random state of another number of processes is that of the first."""
        for name, player in self.players.items():
            player.load_state_dict(state["players"][name])
        known = state.get("stabilisers", {})
        for s in self.recipe.stabilisers:
            if s.name in known:  # one that was added since begins anew
                s.load_state_dict(known[s.name])
        self.clock = Clock(**state["clock"])
        self.source.position = state["position"]
        states = state["random"]
        rng.set_state(states[self.world.rank if len(states) == self.world.size else 0], self.device)

    def _stabilisers(self, name: str) -> tuple[Stabiliser, ...]:
        """Return what is added to the moves of a player: nothing where it has no role in the game."""
        return self.recipe.stabilisers if self.players[name].role is not None else ()

    def _require_gradients_of(self, name: str) -> None:
        if self._mover == name:
            return
        before = self.recipe.parameters() if self._mover is None else self.players[self._mover].parameters
        for parameter in before:
            parameter.requires_grad_(False)
        for parameter in self.players[name].parameters:
            parameter.requires_grad_(True)
        self._mover = name

    def _differentiate(
        self, name: str, loss: Callable[..., Loss], piece: B, inputs: Mapping[str, Any], weight: float
    ) -> Loss:
        with self.autocast():
            result = require_loss(loss(piece, **inputs), loss)
            for stabiliser in () if result.lazy else self._stabilisers(name):
                result.update(stabiliser.terms(name, piece, result, self))
        require_terms(result, loss, mover=name)
        total = result.total()
        (total if weight == 1 else total * weight).backward()
        return result.detached()
