"""One round of every recipe on a device and on the CPU, from the same weights, samples and draws."""

from __future__ import annotations

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
from zerosum.runtime import rng
from zerosum.training.build import fix_reference

ROUNDS, BATCH = 1, 8
TOLERANCE = 1e-3
"""Largest difference of a weight after the round, in units of the largest step that a weight of its tensor took."""
LEAST_STEP = 1e-5
"""Steps below which a tensor counts as not moved: differences are taken in units of this one."""


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
    """Draw the same values on every device."""
    own = rng.random_bytes
    rng.random_bytes = lambda n, size, device: rng.integers(n, size, high=256, device=device).to(torch.uint8)
    try:
        with _DrawnOnTheCpu():
            yield
    finally:
        rng.random_bytes = own


def played(name: str, place: torch.device) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Play rounds of a small game; return the weights before and after."""
    kind, shape = recipes.find(name), shape_of(name)
    torch.manual_seed(0)
    latent = {"latent_dim": 6} if "latent_dim" in kind.Config.names() else {}
    config = kind.Config.read({"batch": BATCH, "rounds": ROUNDS, **latent, **SMALL[name]})
    data = sides(name, shape)
    recipe = kind(config, data.spec)
    before = {key: value.clone() for key, value in recipe.state_dict().items()}
    recipe = recipe.to(place)
    with same_draws():
        fix_reference(recipe, data, seed=0)
        game = Game(recipe, Stream(data, seed=0, jitter=recipe.jitter))
        torch.manual_seed(1)
        for _ in range(ROUNDS):
            game.recipe.round(game)
            game.end_round()
    game.source.close()
    return before, {key: value.detach().cpu() for key, value in recipe.state_dict().items()}


def apart(name: str, place: torch.device) -> float:
    """Return the largest difference of a weight from that on the CPU, in units of the largest step of its tensor."""
    before, here = played(name, torch.device("cpu"))
    _, there = played(name, place)
    worst = 0.0
    for key, value in here.items():
        if value.is_floating_point() and value.numel():
            step = max(float((value - before[key]).abs().max()), LEAST_STEP)
            worst = max(worst, float((value - there[key]).abs().max()) / step)
    return worst
