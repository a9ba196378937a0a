"""How fast the recipes that translate play: pix2pix at 128x128 and CycleGAN at 64x64, one image at a time.

    python -m bench.translators [--passes 6] [--steps 8] [--only pix2pix] [--clock wall] [--save]

The plain loop is written as in the papers' well-known PyTorch code: torch.nn's layers, float32, NCHW, default Adam, one
translation shared by both steps, the discriminator frozen in the generator's. The trainer's side is the recipe at its
game, as `zerosum train` plays it but for reading data and logging. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.race import Contestant, race, ratios, serve
from bench.results import save, table
from zerosum import machine
from zerosum.data.batch import Batch, Domains, Pairs
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.nets import conv
from zerosum.nets.dropout import Dropout
from zerosum.nets.instance import InstanceNorm2d
from zerosum.pool import ImagePool
from zerosum.recipe import Recipe
from zerosum.recipes import find

Step = Callable[[], object]
SIZES = {"pix2pix": 128, "cyclegan": 64}
KINDS = ("plain", "float32", "bfloat16")
GOAL = 1.8
PARTS = {
    "convolutions": ("convolution", "aten::mm", "Contraction", "unfold", "pad", "pixel_shuffle"),
    "norms": ("norm",),
    "Adam": ("adam", "Adam"),
    "copies and casts": ("aten::copy_", "aten::cat", "aten::stack"),
}


class Made:
    """Random images: the data are not what is raced here."""

    position = 0

    def __init__(self, kind: type[Batch], size: int) -> None:
        self.kind, self.images = kind, torch.rand(64, 3, size, size) * 2 - 1

    def draw(self, batch: int) -> Batch:
        """Take the next two images."""
        self.position += 1
        one, other = (self.images[(2 * self.position + i) % 64][None] for i in (0, 1))
        return Pairs(source=one, target=other) if self.kind is Pairs else Domains(a=one, b=other)

    def close(self) -> None:
        """Hold nothing."""


def built(name: str) -> tuple[Recipe, Made]:
    """Build a recipe with its paper's networks, and data for it."""
    kind, size = find(name), SIZES[name]
    shape = (3, size, size)
    return kind(kind.Config(), Spec(shape=shape, source_shape=shape)), Made(kind.data[0], size)


def played(name: str, precision: torch.dtype) -> Step:
    """The recipe at its game."""
    machine.keep_memory()
    recipe, source = built(name)
    recipe = recipe.to(memory_format=torch.channels_last)
    game = Game(recipe, source, precision=precision, memory_format=torch.channels_last)

    def step() -> None:
        recipe.round(game)
        game.end_round()

    return step


def plain(name: str) -> Step:
    """The well-known loop on torch.nn's layers."""
    recipe, source = built(name)
    return {"pix2pix": plain_pix2pix, "cyclegan": plain_cyclegan}[name](with_torch_layers(recipe), source)


def plain_pix2pix(recipe: nn.Module, source: Made) -> Step:
    """Translate, step the discriminator, step the generator."""
    g, d = recipe.generator, recipe.discriminator
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    step_g, step_d = (torch.optim.Adam(network.parameters(), **adam) for network in (g, d))
    entropy, distance = nn.BCEWithLogitsLoss(), nn.L1Loss()

    def judged(source: Tensor, image: Tensor, real: bool) -> Tensor:
        verdict = d(torch.cat([source, image], dim=1))
        return entropy(verdict, torch.full_like(verdict, float(real)))

    def step() -> tuple[float, float]:
        batch = source.draw(1)
        fake = g(batch.source)
        d.requires_grad_(True)
        step_d.zero_grad()
        loss_d = (judged(batch.source, fake.detach(), False) + judged(batch.source, batch.target, True)) / 2
        loss_d.backward()
        step_d.step()
        d.requires_grad_(False)
        step_g.zero_grad()
        loss_g = judged(batch.source, fake, True) + 100 * distance(fake, batch.target)
        loss_g.backward()
        step_g.step()
        return loss_d.item(), loss_g.item()

    return step


def plain_cyclegan(recipe: nn.Module, source: Made) -> Step:
    """Step both generators, then both discriminators, which see the same translations, or older ones."""
    there, back, judges = recipe.a_to_b, recipe.b_to_a, (recipe.discriminator_a, recipe.discriminator_b)
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    step_g = torch.optim.Adam(itertools.chain(there.parameters(), back.parameters()), **adam)
    step_d = torch.optim.Adam(itertools.chain(*(judge.parameters() for judge in judges)), **adam)
    squares, distance = nn.MSELoss(), nn.L1Loss()
    shape = source.images.shape[1:]
    pools = ImagePool(50, shape), ImagePool(50, shape)

    def judged(judge: nn.Module, image: Tensor, real: bool) -> Tensor:
        verdict = judge(image)
        return squares(verdict, torch.full_like(verdict, float(real)))

    def step() -> tuple[float, float]:
        batch = source.draw(1)
        a, b = batch.a, batch.b
        fake_b, fake_a = there(a), back(b)
        cycle = distance(back(fake_b), a) + distance(there(fake_a), b)
        for judge in judges:
            judge.requires_grad_(False)
        step_g.zero_grad()
        identity = distance(there(b), b) + distance(back(a), a)
        adversarial = judged(judges[0], fake_a, True) + judged(judges[1], fake_b, True)
        loss_g = adversarial + 10 * cycle + 5 * identity
        loss_g.backward()
        step_g.step()
        for judge in judges:
            judge.requires_grad_(True)
        step_d.zero_grad()
        total = 0.0
        for judge, pool, real, fake in zip(judges, pools, (a, b), (fake_a, fake_b), strict=True):
            loss_d = (judged(judge, real, True) + judged(judge, pool(fake), False)) / 2
            loss_d.backward()
            total += loss_d.item()
        step_d.step()
        return total, loss_g.item()

    return step


def with_torch_layers(network: nn.Module) -> nn.Module:
    """Put torch.nn's own layers in the place of ours, in place; what they compute is the same for one image."""
    for name, child in network.named_children():
        if isinstance(child, InstanceNorm2d):
            affine = child.weight is not None
            setattr(network, name, nn.BatchNorm2d(child.channels, affine=affine, track_running_stats=False))
        elif isinstance(child, Dropout):
            setattr(network, name, nn.Dropout(child.share))
        elif isinstance(child, conv.Conv2d):
            child.__class__ = nn.Conv2d
        elif isinstance(child, conv.ConvTranspose2d):
            child.__class__ = nn.ConvTranspose2d
        else:
            with_torch_layers(child)
    return network


def where(name: str) -> str:
    """Say where the time of the recipe's round goes, in the machine's own precision."""
    step = played(name, machine.pick_precision("auto", torch.device("cpu")))
    for _ in range(4):
        step()
    with torch.profiler.profile() as profile:
        for _ in range(4):
            step()
    spent = dict.fromkeys((*PARTS, "the rest"), 0.0)
    for event in profile.key_averages():
        part = next((p for p, words in PARTS.items() if any(word in event.key for word in words)), "the rest")
        spent[part] += event.self_cpu_time_total
    total = sum(spent.values())
    shares = ", ".join(f"{part} {value / total:.0%}" for part, value in spent.items())
    return f"Where {name}'s round goes, by torch's profiler, with its own cost: {shares}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=6, help="turns of every contestant")
    parser.add_argument("--steps", type=int, default=8, help="rounds in a turn")
    parser.add_argument("--only", default="pix2pix,cyclegan", help="names of recipes, with commas")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/translators.json too")
    parser.add_argument("--serve", default=None, help="be the contestant of this name")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.serve:
        name, _, kind = options.serve.partition("-")
        serve(plain(name) if kind == "plain" else played(name, getattr(torch, kind)), work=1, warm_up=6)
        return
    rows = [["recipe", "size", "plain loop, img/s", "float32, img/s", "bfloat16, img/s", "float32", "bfloat16"]]
    remarks = []
    for name in options.only.split(","):
        command = [sys.executable, "-m", "bench.translators", "--serve"]
        runners = {
            kind: Contestant(f"{name}-{kind}", [*command, f"{name}-{kind}"], options.steps, options.clock)
            for kind in KINDS
        }
        race(list(runners.values()), options.passes)
        gains = {kind: ratios(runners[kind], runners["plain"]) for kind in KINDS[1:]}
        rates = [f"{statistics.median(runners[kind].rates):.1f}" for kind in KINDS]
        medians = [f"{statistics.median(gains[kind]):.2f}x" for kind in KINDS[1:]]
        rows.append([name, f"{SIZES[name]}x{SIZES[name]}", *rates, *medians])
        passes = ", ".join(f"{gain:.2f}" for gain in gains["bfloat16"])
        remarks += [f"{name}, bfloat16 over the plain loop (goal {GOAL}), by pass: {passes}.", where(name)]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("translators", "How fast translation plays, one image at a time", rows, remarks)


if __name__ == "__main__":
    main()
