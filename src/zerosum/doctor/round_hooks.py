"""What is read off a round while it is played: sizes of the players' first steps, and units that stay 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.player import Player


@contextmanager
def relative_steps(players: Mapping[str, Player], found: dict[str, Tensor]) -> Iterator[None]:
    """Put into `found`, by player, the norm of its first step divided by that of its weights before: of shape ()."""
    with ExitStack() as stack:
        for name, player in players.items():
            stack.enter_context(_first_step(name, player, found))
        yield


@contextmanager
def rectified_units(network: nn.Module, found: dict[Any, Tensor]) -> Iterator[None]:
    """Put into `found`, for each `nn.ReLU` that runs and each width, which units (C,) were above 0: bool."""

    def look(module: nn.Module, _: Any, features: Tensor) -> None:
        if features.ndim > 1:
            with torch.no_grad():
                alive = features.amax((0, *range(2, features.ndim))) > 0
            key = id(module), len(alive)
            found[key] = found[key] | alive if key in found else alive

    handles = [m.register_forward_hook(look) for m in network.modules() if isinstance(m, nn.ReLU)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def norm(tensors: list[Tensor]) -> Tensor:
    """Euclidean norm over all values of tensors: of shape ()."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(tensors))).float()


@contextmanager
def _first_step(name: str, player: Player, found: dict[str, Tensor]) -> Iterator[None]:
    before: list[Tensor] = []
    weights = [parameter.detach() for parameter in player.parameters]

    def keep(*_: Any) -> None:
        if name not in found:
            before[:] = [weight.clone() for weight in weights]

    def compare(*_: Any) -> None:
        if name not in found:
            moved = torch._foreach_sub(weights, before)
            found[name] = norm(list(moved)) / norm(before)
            before.clear()

    handles = player.optimizer.register_step_pre_hook(keep), player.optimizer.register_step_post_hook(compare)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
