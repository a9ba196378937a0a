"""A small game of any recipe, on images or on points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import recipes
from zerosum.data.batch import Points
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.distributed import World
from zerosum.game import Game

SMALL: dict[str, dict[str, Any]] = {
    "dcgan": {"width": 4},
    "gan": {"generator_hidden": (16, 16), "discriminator_hidden": (16, 16)},
    "infogan": {"width": 4, "noise": 6, "categories": 3},
    "unrolled": {"width": 4, "steps": 2, "generator_hidden": (16,), "discriminator_hidden": (16,)},
    "wgan_gp": {"width": 4, "critic_moves": 2, "toy_hidden": (16, 16)},
}
"""Settings that make each recipe small; those not named here keep their defaults."""


def dataset(shape: tuple[int, ...], count: int = 64) -> Dataset:
    """Random samples of `shape` (C, H, W) or (2,)."""
    random = np.random.default_rng(0)
    if len(shape) == 1:
        samples = random.normal(size=(count, 2)).astype(np.float32)
    else:
        samples = random.integers(0, 256, (count, *shape[1:], shape[0]), dtype=np.uint8)
    return Dataset(
        samples=samples, labels=None, spec=Spec(shape=shape), source="random", fingerprint="random", notes=()
    )


def game(
    name: str, shape: tuple[int, ...], *, seed: int = 0, batch: int = 8, rounds: int = 4, **options: Any
) -> Game[Any]:
    """Set up a game of the recipe `name`."""
    kind = recipes.find(name)
    torch.manual_seed(seed)
    config = kind.Config.read(
        {"batch": batch, "rounds": rounds, "latent": 6, **SMALL[name]}
        if "latent" in kind.Config.names()
        else {"batch": batch, "rounds": rounds, **SMALL[name]}
    )
    world = options.pop("world", World())
    source = Stream(dataset(shape), seed=seed, rank=world.rank, world=world.size)
    return Game(kind(config, Spec(shape=shape)), source, world=world, **options)


def plays_on_points(name: str) -> bool:
    return Points in recipes.find(name).data


@pytest.fixture
def make() -> Callable[..., Game[Any]]:
    return game
