"""Gradients of one round of every recipe on a device and on the CPU, from the same weights, samples and draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.recipes.conftest import SMALL, shape_of, sides
from zerosum import recipes
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.layers import dropout
from zerosum.runtime import rng
from zerosum.runtime.device import without_tf32
from zerosum.training.build import fix_reference

ROUNDS, BATCH = 1, 8
TOLERANCE = 1e-3
"""Largest difference of a gradient in a move, in units of the largest gradient of the move."""

Move = tuple[str, list[Tensor]]
"""Who moved, and the gradients of its weights."""


class _Watched(Game[Any]):
    """A game that keeps the gradients of every move."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.moves: list[Move] = []

    def step(self, name: str) -> None:
        found = [p.grad.detach().double().cpu() for p in self.players[name].parameters if p.grad is not None]
        self.moves.append((name, found))
        super().step(name)


class _DrawnOnTheCpu(TorchFunctionMode):
    """Makes random tensors on the CPU, and moves them where they were asked for."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.randn, torch.rand, torch.randint, torch.randperm):
            place = kwargs.pop("device", None)
            return func(*args, **kwargs, device="cpu").to(place or "cpu")
        return func(*args, **kwargs)


@contextmanager
def same_draws() -> Iterator[None]:
    """Draw the same values on every device, for the same places whatever their order in memory."""
    own = rng.random_bytes, dropout.laid_out
    rng.random_bytes = lambda n, size, device: rng.integers(n, size, high=256, device=device).to(torch.uint8)
    dropout.laid_out = lambda mask, like: mask.view(like.shape)
    try:
        with _DrawnOnTheCpu():
            yield
    finally:
        rng.random_bytes, dropout.laid_out = own


def played(name: str, place: torch.device) -> list[Move]:
    """Play a round of a small game; return the gradients of each move."""
    kind, shape = recipes.find(name), shape_of(name)
    torch.manual_seed(0)
    latent = {"latent_dim": 6} if "latent_dim" in kind.Config.names() else {}
    config = kind.Config.read({"batch": BATCH, "rounds": ROUNDS, **latent, **SMALL[name]})
    data = sides(name, shape)
    recipe = kind(config, data.spec).to(place)
    with same_draws(), without_tf32():
        fix_reference(recipe, data, seed=0)
        game = _Watched(recipe, Stream(data, seed=0, jitter=recipe.jitter))
        torch.manual_seed(1)
        for _ in range(ROUNDS):
            game.recipe.round(game)
            game.end_round()
    game.source.close()
    return game.moves


def apart(name: str, place: torch.device) -> float:
    """Return the largest difference of a gradient from that on the CPU, in units of the largest one of its move.

    Weights after the move would not do: Adam's first step is as long for a gradient that is zero but for rounding.
    """
    here, there = played(name, torch.device("cpu")), played(name, place)
    if [mover for mover, _ in here] != [mover for mover, _ in there]:
        return math.inf
    worst = 0.0
    for (_, ours), (_, theirs) in zip(here, there, strict=True):
        largest = max(float(gradient.abs().max()) for gradient in ours)
        worst = max(worst, *(float((a - b).abs().max()) / largest for a, b in zip(ours, theirs, strict=True)))
    return worst
