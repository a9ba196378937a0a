"""A player of the game: the networks it owns, the optimizer that moves them, and their running average."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zerosum.errors import InputError
from zerosum.optim.adam import Adam
from zerosum.optim.eager import RMSprop

STATISTICS = ("running_mean", "running_var")

_Place = tuple[str, dict[str, Any], str]
Role = Literal["generator", "discriminator"]
"""What a player does in the adversarial game: make samples, or tell real ones from them (a critic does too)."""


@dataclass
class Clock:
    """Where a game stands. Schedules and recipes read it; only the game winds it."""

    round: int = 0
    """Rounds played since the start of the run."""
    seen: int = 0
    """Real samples drawn, over all processes."""
    phase: int = 0
    """Index of the present phase."""
    phase_round: int = 0
    """Rounds played in the present phase."""
    phase_rounds: int = 1
    """Rounds that the present phase lasts."""

    @property
    def progress(self) -> float:
        """Share of the present phase that has been played, in [0, 1).

        >>> Clock(phase_round=25, phase_rounds=100).progress
        0.25
        """
        return self.phase_round / self.phase_rounds


class Player:
    """Who moves: some networks and one optimizer. Two players may own one network (InfoGAN).

    Args:
        networks: what this player owns.
        optimizer: over the parameters of `networks`.
        role: what the player does in the adversarial game; None for one beside it.
        schedule: from the clock to the optimizer's options at this step, such as {"lr": 1e-4}.
        ema_decay: decay of the running average of the weights, or from the clock to it; None keeps none. The decay
            is ramped up as (1 + t) / (10 + t), so that the first average is not that of untrained weights.
        clip: largest norm of the whole gradient; larger ones are scaled down to it.
    """

    def __init__(
        self,
        networks: Iterable[nn.Module],
        optimizer: Optimizer,
        *,
        role: Role | None = None,
        schedule: Callable[[Clock], Mapping[str, Any]] | None = None,
        ema_decay: float | Callable[[Clock], float] | None = None,
        clip: float | None = None,
    ) -> None:
        self.networks = tuple(networks)
        self.optimizer = optimizer
        self.role: Role | None = role
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.schedule = schedule
        self._decay = ema_decay
        self._clip = clip
        self._steps = 0
        self.average = {name: tensor.clone() for name, tensor in self._owned() if ema_decay is not None}

    @classmethod
    def adam(cls, *networks: nn.Module, lr: float, betas: tuple[float, float], **options: Any) -> Self:
        """Build a player that moves by Adam (Kingma & Ba 2015); `options` are those of the constructor."""
        parameters = _distinct(networks)
        fused = all(p.device.type in ("cpu", "cuda") for p in parameters)
        beta1, beta2 = map(float, betas)  # the fused kernel refuses an int beside a float
        return cls(networks, Adam(parameters, lr=lr, betas=(beta1, beta2), fused=fused), **options)

    @classmethod
    def rmsprop(cls, *networks: nn.Module, lr: float, **options: Any) -> Self:
        """Build a player that moves by RMSProp (Tieleman & Hinton 2012) with a decay of 0.99 and without momentum.

        `options` are those of the constructor.
        """
        return cls(networks, RMSprop(_distinct(networks), lr=lr, alpha=0.99), **options)

    @property
    def has_schedule(self) -> bool:
        """Whether options of the optimizer depend on the clock."""
        return self.schedule is not None

    def step(self, clock: Clock, *, average: bool = True) -> Tensor:
        """Move along the gradients that stand: schedule, clip, optimizer, and the running average if `average`.

        Returns:
            The Euclidean norm of the whole gradient before it is clipped, of shape (); not yet read off the device.
        """
        if self.schedule is not None:
            for group in self.optimizer.param_groups:
                group.update(self.schedule(clock))
        norm = self._gradient_norm()
        if self._clip is not None:
            nn.utils.clip_grads_with_norm_(self.parameters, self._clip, norm)
        self.optimizer.step()
        self._steps += average  # the ramp of the running average counts its own
        if self._decay is not None and average:
            self._update_average(self._decay(clock) if callable(self._decay) else self._decay)
        return norm

    def drop_gradients(self) -> None:
        """Leave the parameters without gradients, as `Optimizer.zero_grad` does with a few times the overhead."""
        for parameter in self.parameters:
            parameter.grad = None

    def reset_optimizer(self) -> None:
        """Drop the optimizer's memory (its moments), as progressive growing does when layers appear."""
        self.optimizer.state.clear()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the running average in the networks' place, then the live weights back."""
        live = {name: tensor for name, tensor in self._owned() if name in self.average}
        kept = {name: tensor.clone() for name, tensor in live.items()}
        try:
            for name, tensor in live.items():
                tensor.copy_(self.average[name])
            yield
        finally:
            for name, tensor in live.items():
                tensor.copy_(kept[name])

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a later step depends on, but for the networks themselves."""
        return {"optimizer": self.optimizer.state_dict(), "average": self.average, "steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned, but for options of the optimizer, which are the settings'."""
        own = [{key: group[key] for key in group if key != "params"} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, options in zip(self.optimizer.param_groups, own, strict=True):
            group.update({name: options[name] for name in options if name != "lr" or self.schedule is None})
        for name, tensor in self.average.items():
            tensor.copy_(state["average"][name])
        self._steps = state["steps"]

    def averages(self, root: nn.Module) -> dict[str, Tensor]:
        """Return the running averages by the names, of tied weights several, that they have in `root`'s state_dict."""
        places: dict[tuple[int, torch.Size], list[str]] = {}
        for name, tensor in root.state_dict().items():
            places.setdefault((tensor.data_ptr(), tensor.shape), []).append(name)
        owned = ((self.average.get(name), places[tensor.data_ptr(), tensor.shape]) for name, tensor in self._owned())
        return {place: average for average, names in owned if average is not None for place in names}

    def not_finite(self, root: nn.Module) -> list[str]:
        """Return the names that parameters with a value that is not finite have in `root`, in its order."""
        mine = {id(p) for p in self.parameters}
        return [n for n, p in root.named_parameters() if id(p) in mine and not bool(p.isfinite().all())]

    def _gradient_norm(self) -> Tensor:
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if not gradients:
            return torch.zeros((), device=self.parameters[0].device)
        # a third of the time of torch.nn.utils.get_total_norm, which sorts by device and type first
        return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))).float()

    def _owned(self) -> Iterator[tuple[str, Tensor]]:
        for index, network in enumerate(self.networks):
            for name, tensor in network.state_dict().items():
                yield f"{index}.{name}", tensor

    @torch.no_grad()
    def _update_average(self, decay: float) -> None:
        decay = min(decay, (1 + self._steps) / (10 + self._steps))
        followed, copied = self._places
        for average, place, name in copied:
            self.average[average].copy_(place[name])
        averages = [self.average[average] for average, _, _ in followed]
        torch._foreach_lerp_(averages, [place[name] for _, place, name in followed], 1 - decay)

    @cached_property
    def _places(self) -> tuple[list[_Place], list[_Place]]:
        """Return the averages that follow weights and statistics, and those that are copies.

        Each is the average's name, and where its live tensor is: a module may put another in a buffer's place. A tensor
        of several names has an average under each; buffers that a state_dict leaves out have none.
        """
        weights = {id(p) for p in self.parameters}
        followed, copied = [], []
        for index, network in enumerate(self.networks):
            modules = dict(network.named_modules(remove_duplicate=False))
            named = network.named_parameters, network.named_buffers
            for name, tensor in chain.from_iterable(each(remove_duplicate=False) for each in named):
                if (average := f"{index}.{name}") not in self.average:
                    continue
                owner, _, own = name.rpartition(".")
                module = modules[owner]
                place = module._parameters if own in module._parameters else module._buffers
                follows = id(tensor) in weights or name.endswith(STATISTICS)
                (followed if follows else copied).append((average, place, own))
        return followed, copied


def lost_weights(players: Mapping[str, Player], root: nn.Module) -> str:
    """Say which players have weights that are not finite: they went astray first, whoever's loss shows it."""
    names = {name: player.not_finite(root) for name, player in players.items()}
    return " and of ".join(
        f"{name} (in {len(lost)} of {len(players[name].parameters)} parameters, the first {lost[0]})"
        for name, lost in names.items()
        if lost
    )


def players_of(players: Mapping[str, Player], role: Role) -> dict[str, Player]:
    """Return those of `players` who have a role, by name."""
    return {name: player for name, player in players.items() if player.role == role}


def only_player_of(players: Mapping[str, Player], role: Role) -> str:
    """Return the name of the one player who has a role.

    Raises:
        InputError: none has it, or several have.
    """
    found = list(players_of(players, role))
    if len(found) != 1:
        raise InputError(
            f"This needs a recipe with one player of the role {role}, and of the players {', '.join(players)} "
            f"{', '.join(found) or 'none'} {'have' if len(found) > 1 else 'has'} it: choose another recipe."
        )
    return found[0]


def _distinct(networks: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Return the parameters of `networks`, each once, in order."""
    return list(dict.fromkeys(p for network in networks for p in network.parameters()))
