"""A small game of any recipe, on images or on points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import kinds, recipes, stabilisers
from zerosum.data.batch import Points
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.networks.stackgan import initialise
from zerosum.runtime.distributed import World
from zerosum.tasks import ConditionalRecipe
from zerosum.training.build import fix_reference

SMALL: dict[str, dict[str, Any]] = {
    "acgan": {"width": 4},
    "age_cgan": {"width": 4, "encoder_width": 4, "encoder_hidden": 8},
    "biggan": {"width": 2},
    "cgan": {"width": 4},
    "cyclegan": {"width": 4, "blocks": 1, "layers": 1, "pool": 4, "ema_decay": 0.9},
    "dcgan": {"width": 4},
    "gan3d": {"generator_width": 2, "discriminator_width": 2},
    "dvdgan": {"width": 2, "embedding": 4, "spatial_frames": 2},
    "gan": {"generator_hidden": (16, 16), "discriminator_hidden": (16, 16)},
    "infogan": {"width": 4, "noise": 6, "categories": 3},
    "inpaint": {"width": 4, "bottleneck": 8},
    "progan": {"base": 32, "max_channels": 8, "batch_doublings": 1, "stabilise_kimg": 0.016, "fade_kimg": 0.016},
    "lsgan": {"width": 4},
    "pix2pix": {"width": 4, "layers": 2, "ema_decay": 0.9},
    "projection": {"generator_width": 2, "discriminator_width": 2},
    "sngan": {"generator_width": 2, "discriminator_width": 2},
    "r3gan": {"widths": (8, 4), "group": 8, "burn_in": 64, "ema_half_life": (100, 100), "points_hidden": (16, 16)},
    "srgan": {"width": 4, "blocks": 1, "pretrain": 2, "lr_hold": 0, "ema_decay": 0.9},
    "stackgan": {"width": 4, "second_width": 4, "discriminator_width": 4, "embedding": 6, "condition": 4},
    "stylegan2": {"base": 64, "max_channels": 8, "path_length": 2.0, "ema_half_life": 100.0, "ema_ramp": 0.0},
    "unrolled": {"width": 4, "steps": 2, "generator_hidden": (16,), "discriminator_hidden": (16,)},
    "wavegan": {"width": 2, "n_critic": 2},
    "wgan": {"width": 4, "clip": 0.1, "n_critic": 2, "long_n_critic": 3, "long_rounds": 1},
    "wgan_gp": {"width": 4, "n_critic": 2, "points_hidden": (16, 16)},
}
"""Settings that make each recipe small; those not named here keep their defaults."""


AXES = {"points": 1, "waveforms": 2, "volumes": 4, "clips": 4}
"""Axes of a sample of a kind; 3 of all else."""

OTHER: dict[str, tuple[int, ...]] = {"waveforms": (1, 256), "volumes": (1, 16, 16, 16), "clips": (4, 1, 16, 16)}
"""Shape of a sample of a kind that is neither images nor points."""


def kind_for(name: str, shape: tuple[int, ...]) -> str | None:
    """Return the first kind that the recipe `name` trains on whose samples have such a shape."""
    possible = [kind.name for kind in kinds.of_batches(recipes.find(name).data)]
    left_out = "" if len(shape) != 4 else "clips" if shape[0] == 1 else "volumes"
    return next((kind for kind in possible if AXES.get(kind, 3) == len(shape) and kind != left_out), None)


def fits(name: str, shape: tuple[int, ...]) -> bool:
    """Whether the recipe `name` trains on samples of such a shape."""
    return kind_for(name, shape) is not None


def shape_of(name: str, image: tuple[int, ...] = (1, 16, 16)) -> tuple[int, ...]:
    """Return the shape of a sample that the recipe `name` trains on: of an image where it takes them."""
    return image if fits(name, image) else OTHER[kinds.of_batches(recipes.find(name).data)[0].name]


def sides(name: str, shape: tuple[int, ...], count: int = 64) -> Dataset:
    """Random data of the kind that the recipe `name` trains on, of samples of `shape`: of an image (C, H, W)."""
    shape = shape_of(name, shape)
    kind = kinds.find(kind_for(name, shape) or "")
    given = None if kind.single else (shape[0], *(side // (2 if name == "srgan" else 1) for side in shape[1:]))
    classes = ("a", "b", "c") if issubclass(recipes.find(name), ConditionalRecipe) else ()
    return kind.example(Spec(shape=shape, kind=kind.name, source_shape=given, classes=classes), count)


def made(recipe: Any, name: str, shape: tuple[int, ...], n: int) -> torch.Tensor:
    """Have a recipe make n samples, from nothing or from images."""
    fake, _ = recipe.fake_and_real(sides(name, shape).batch(np.arange(n)).to(torch.device("cpu")))
    return fake


def game(
    name: str, shape: tuple[int, ...], *, seed: int = 0, batch: int = 8, rounds: int = 4, **options: Any
) -> Game[Any]:
    """Set up a game of the recipe `name`."""
    kind = recipes.find(name)
    torch.manual_seed(seed)
    latent = {"latent_dim": 6} if "latent_dim" in kind.Config.names() else {}
    settings = options.pop("settings", {})
    config = kind.Config.read({"batch": batch, "rounds": rounds, **latent, **SMALL[name], **settings})
    world = options.pop("world", World())
    data = sides(name, shape)
    recipe = kind(config, data.spec)
    stabilisers.apply(recipe, *stabilisers.parse(options.pop("stabilise", None)))
    fix_reference(recipe, data, seed=seed)
    source = Stream(data, seed=seed, rank=world.rank, world=world.size, jitter=recipe.jitter)
    return Game(recipe, source, world=world, **options)


def plays_on_points(name: str) -> bool:
    return Points in recipes.find(name).data


@pytest.fixture
def make() -> Callable[..., Game[Any]]:
    return game


@contextmanager
def contrasts() -> Iterator[None]:
    """Train runs of stackgan from weights that are ten times as large, whose pictures are not of one grey."""

    def larger(network: torch.nn.Module) -> None:
        initialise(network)
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.data *= 10

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zerosum.recipes.stackgan.initialise", larger)
        yield
