"""How fast recipes play by `zerosum train`, with the CPU's defaults, beside plain float32 loops of the same networks.

    OMP_NUM_THREADS=1 python -m bench.recipes [--passes 5] [--only lsgan,sngan] [--clock cpu] [--save]

The plain side is written from the papers, of torch.nn's layers in float32 and NCHW: `bench.plain_networks`,
`bench.plain_loops`. The other side is the trainer itself, reading random images and logging as always.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from bench import plain_loops, plain_networks, plain_stylegan2, trained
from bench.race import MEASURED, Contestant, race, ratios, serve
from bench.results import save, table
from zerosum.data.spec import Spec
from zerosum.networks.dcgan import halvings
from zerosum.networks.r3gan import stage_widths
from zerosum.networks.stylegan2 import channels
from zerosum.recipes import find
from zerosum.run.config import RunConfig

CLASSES, IMAGES = 10, 512
SHAPES = {
    "lsgan": (1, 32, 32),
    "wgan": (1, 32, 32),
    "cgan": (1, 32, 32),
    "acgan": (1, 32, 32),
    "sngan": (3, 64, 64),
    "projection": (3, 64, 64),
    "biggan": (3, 64, 64),
    "r3gan": (3, 32, 32),
    "stylegan2": (3, 32, 32),
}
LABELLED = ("cgan", "acgan", "projection", "biggan")
ROUNDS = dict.fromkeys(SHAPES, 1) | {"lsgan": 6, "wgan": 2, "cgan": 6, "acgan": 6, "r3gan": 3, "stylegan2": 16}
"""Rounds in a turn; of stylegan2 as many as R1 has one move in."""
SETTINGS: dict[str, dict[str, Any]] = {"wgan": {"long_rounds": 0, "long_every": 0}}
"""What differs from the defaults: wgan's rounds of 100 moves of the critic are left out on both sides."""
KINDS = ("plain", "float32", "bfloat16")
GOAL = 2.0
ABOUT = (
    "The plain loop is written from the paper, of torch.nn's layers, with as many weights: float32, NCHW, torch's own "
    "Adam or RMSprop, spectral norm by torch's parametrisation, a running average by a loop over weights, `.item()` at "
    "each round, the opponent frozen in each step. StyleGAN2's convolutions are shared by the samples there too.",
    "The other side is `zerosum train` with the CPU's defaults, its reading and logging included, but for previews and "
    "checkpoints; wgan without its long rounds.",
)

Networks = tuple[Any, Any]


def configured(name: str) -> tuple[Any, Spec]:
    """Return a recipe's settings on a CPU and the spec of its data."""
    classes = tuple(map(str, range(CLASSES))) if name in LABELLED else ()
    spec = Spec(shape=SHAPES[name], classes=classes)
    return RunConfig.read("images.npz", name, SETTINGS.get(name, {})).fitted(spec, "cpu").config, spec


def dcgan(c: Any, spec: Spec) -> Networks:
    """Networks of lsgan and wgan."""
    generator = plain_networks.dcgan_generator(c.latent_dim, spec.shape, c.width)
    return generator, plain_networks.dcgan_discriminator(spec.shape, c.width, getattr(c, "dropout", 0.0))


def wgan_gp(c: Any, spec: Spec) -> Networks:
    """Networks of wgan_gp."""
    generator = plain_networks.dcgan_generator(c.latent_dim, spec.shape, c.width)
    return generator, plain_networks.wgan_gp_critic(spec.shape, c.width)


def cgan(c: Any, spec: Spec) -> Networks:
    """Networks of cgan."""
    generator = plain_networks.dcgan_generator(c.latent_dim + CLASSES, spec.shape, c.width)
    shape = (spec.shape[0] + CLASSES, *spec.shape[1:])
    discriminator = plain_networks.dcgan_discriminator(shape, c.width, c.dropout, norm=not c.gamma)
    return tuple(plain_networks.Labelled(body, CLASSES) for body in (generator, discriminator))  # type: ignore[return-value]


def acgan(c: Any, spec: Spec) -> Networks:
    """Networks of acgan."""
    generator = plain_networks.dcgan_generator(c.latent_dim + CLASSES, spec.shape, c.width)
    discriminator = plain_networks.TwoHeads(spec.shape, c.width, CLASSES, c.dropout)
    return plain_networks.Labelled(generator, CLASSES), discriminator


def residual(c: Any, spec: Spec) -> Networks:
    """Networks of sngan, projection and biggan."""
    widths = (c.width, c.width) if hasattr(c, "width") else (c.generator_width, c.discriminator_width)
    K, attention = len(spec.classes), getattr(c, "attention", False)
    generator = plain_networks.ResidualGenerator(c.latent_dim, spec.shape, widths[0], K, attention=attention)
    discriminator = plain_networks.ResidualDiscriminator(spec.shape, widths[1], K, attention=attention)
    if attention:  # biggan normalises the generator too
        plain_networks.normalised(generator, (nn.Conv2d, nn.Linear))
    return generator, plain_networks.normalised(discriminator)


def r3gan(c: Any, spec: Spec) -> Networks:
    """Networks of r3gan."""
    depth, *start = halvings(spec.shape)
    sizes = (stage_widths(c.widths, depth + 1), tuple(start), c.blocks, c.group)
    discriminator = plain_networks.R3Discriminator(spec.shape, *sizes)
    return plain_networks.R3Generator(c.latent_dim, spec.shape, *sizes), discriminator


def stylegan2(c: Any, spec: Spec) -> Networks:
    """Networks of stylegan2."""
    depth, *start = halvings(spec.shape)
    side = spec.shape[1]
    widths = channels(c.base, c.max_channels, [side >> depth - level for level in range(depth + 1)])
    colours, size = spec.shape[0], tuple(start)
    generator = plain_stylegan2.StyleGenerator(c.latent_dim, colours, widths, size, c.mapping_layers)
    return generator, plain_stylegan2.StyleDiscriminator(colours, widths, size, c.minibatch_group)


PLAIN: dict[str, tuple[Callable[[Any, Spec], Networks], Callable[..., plain_loops.Step]]] = {
    "lsgan": (dcgan, plain_loops.lsgan),
    "wgan": (dcgan, plain_loops.wgan),
    "cgan": (cgan, plain_loops.cgan),
    "acgan": (acgan, plain_loops.acgan),
    "sngan": (residual, plain_loops.hinge),
    "projection": (residual, plain_loops.hinge),
    "biggan": (residual, plain_loops.hinge),
    "r3gan": (r3gan, plain_loops.r3gan),
    "stylegan2": (stylegan2, plain_loops.stylegan2),
}


def plain(name: str) -> plain_loops.Step:
    """The loop that one writes from the paper, on networks with as many weights as the recipe's."""
    config, spec = configured(name)
    networks = PLAIN[name][0](config, spec)
    ours, its = plain_loops.weights([find(name)(config, spec)]), plain_loops.weights(networks)
    if ours != its:
        raise ValueError(f"the plain networks of {name} have {its:,} weights, and the recipe's {ours:,}")
    images = torch.rand(IMAGES, *spec.shape) * 2 - 1
    labels = torch.randint(CLASSES, (IMAGES,))

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.randint(IMAGES, (config.batch,))
        return images[rows], labels[rows]

    settings = SimpleNamespace(**{field: getattr(config, field) for field in config.names()}, labelled=spec.classes)
    return PLAIN[name][1](*networks, draw, settings)


def serve_one(name: str, kind: str, rounds: int) -> None:
    """Be a contestant whose turns have so many rounds."""
    config, spec = configured(name)
    if kind == "plain":
        serve(plain(name), work=config.batch, warm_up=rounds)
        return
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES, *spec.shape[1:], spec.shape[0]), dtype=np.uint8)
    arrays = {"images": images} | ({"labels": random.integers(CLASSES, size=IMAGES)} if name in LABELLED else {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]
        settings = SETTINGS.get(name, {}) | {"precision": kind, "cache": folder, "log_every": rounds}
        trained.train(path, name, steps=rounds, work=rounds * config.batch, **settings)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast recipes play beside plain float32 loops.")
    parser.add_argument("--passes", type=int, default=5, help="turns of every contestant")
    parser.add_argument("--only", default=",".join(SHAPES), help="names of recipes, with commas")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/recipes.json too")
    parser.add_argument("--serve", default=None, help="be the contestant of this name")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.serve:
        name, kind = options.serve.split("-")
        serve_one(name, kind, ROUNDS[name])
        return
    rows = [
        ["recipe", "images", "batch", "plain loop, img/s", "float32, img/s", "bfloat16, img/s", "float32", "bfloat16"]
    ]
    remarks = [*ABOUT, MEASURED[options.clock]]
    for name in options.only.split(","):
        command = [sys.executable, "-m", "bench.recipes", "--serve"]
        runners = {
            kind: Contestant(f"{name}-{kind}", [*command, f"{name}-{kind}"], ROUNDS[name], options.clock)
            for kind in KINDS
        }
        race(list(runners.values()), options.passes)
        config, spec = configured(name)
        gains = {kind: ratios(runners[kind], runners["plain"]) for kind in KINDS[1:]}
        rates = [f"{statistics.median(runners[kind].rates):.0f}" for kind in KINDS]
        medians = [f"{statistics.median(gains[kind]):.2f}x" for kind in KINDS[1:]]
        rows.append([name, "x".join(map(str, spec.shape)), f"{config.batch}", *rates, *medians])
        passes = ", ".join(f"{gain:.2f}" for gain in gains["bfloat16"])
        remarks.append(f"{name}, bfloat16 over the plain loop (goal {GOAL:.0f}), by pass: {passes}.")
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("recipes", "How fast recipes play with the CPU's defaults, beside plain float32 loops", rows, remarks)


if __name__ == "__main__":
    main()
