"""How fast the recipes of translation and of phases play, beside plain float32 loops of the same networks.

    python -m bench.translators [--passes 5] [--steps 6] [--only pix2pix,cyclegan] [--clock wall] [--save]

Of pix2pix (128x128) and CycleGAN (64x64), one image at a time, the plain loop is written as in the papers' well-known
PyTorch code: torch.nn's layers, float32, NCHW, default Adam, one translation shared by both steps, the discriminator
frozen in the generator's. Of the others it is the recipe's own round with those layers, that order, that arithmetic and
that Adam. The trainer's side is the recipe at its game, as `zerosum train` plays it but for reading data and logging.
Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.race import Contestant, race, ratios, serve
from bench.results import save, table
from zerosum.data.batch import Batch, Domains, Images, Pairs
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers import conv, equalised
from zerosum.layers.dropout import Dropout
from zerosum.layers.image_pool import ImagePool
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.layers.prelu import PReLU
from zerosum.recipe import Recipe
from zerosum.recipes import find, progan
from zerosum.runtime import device

Step = Callable[[], object]
SIZES = {"pix2pix": 128, "cyclegan": 64, "srgan": 96, "inpaint": 64, "progan": 32}
BATCHES = {"pix2pix": 1, "cyclegan": 1, "srgan": 4, "inpaint": 32, "progan": 32}
KINDS = ("plain", "float32", "bfloat16")
GOAL = 1.8
PARTS = {
    "convolutions": ("convolution", "aten::mm", "Contraction", "unfold", "pad", "pixel_shuffle"),
    "norms": ("norm",),
    "Adam": ("adam", "Adam"),
    "copies and casts": ("aten::copy_", "aten::cat", "aten::stack"),
}
NEEDED = ("convolutions", "norms", "Adam")
"""Parts of PARTS that a round of these networks cannot do without."""


class Made:
    """Random images: the data are not what is raced here."""

    position = 0

    def __init__(self, kind: type[Batch], size: int, smaller: int) -> None:
        self.kind, self.images = kind, torch.rand(64, 3, size, size) * 2 - 1
        self.sources = self.images[:, :, ::smaller, ::smaller].contiguous()

    def draw(self, batch: int) -> Any:
        """Take the next images: a batch of `kind`."""
        rows = torch.arange(self.position, self.position + batch) % 64
        self.position += batch
        if self.kind is Images:
            return Images(image=self.images[rows])
        first, second = self.sources[rows], self.images[(rows + 1) % 64]
        return Pairs(source=first, target=second) if self.kind is Pairs else Domains(a=first, b=second)

    def close(self) -> None:
        """Hold nothing."""


def built(name: str) -> tuple[Recipe, Made]:
    """Build a recipe with its paper's networks, and data for it."""
    kind, size, smaller = find(name), SIZES[name], 4 if name == "srgan" else 1
    spec = Spec(shape=(3, size, size), source_shape=(3, size // smaller, size // smaller))
    if kind.data[0] is Images:
        spec = Spec(shape=(3, size, size))
    return kind(kind.Config(batch=BATCHES[name]), spec), Made(kind.data[0], size, smaller)


def played(name: str, precision: torch.dtype) -> Step:
    """The recipe at its game."""
    device.keep_freed_memory()
    recipe, source = built(name)
    recipe = recipe.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return rounds(Game(recipe, source, precision=precision, memory_format=torch.channels_last))


def rounds(game: Game[Any]) -> Step:
    """Play rounds of a game's last phase."""
    phases = game.recipe.phases()
    game.begin_phase(len(phases) - 1, phases[-1])
    game.batch = game.recipe.config.batch

    def step() -> None:
        phases[-1].play(game)
        game.end_round()

    return step


def plain(name: str) -> Step:
    """The well-known loop on torch.nn's layers, or the recipe's own round on them."""
    recipe, source = built(name)
    written = {"pix2pix": plain_pix2pix, "cyclegan": plain_cyclegan}
    if name in written:
        return written[name](with_torch_layers(recipe), source)
    conv.serves = equalised.serves = lambda layer, x: False
    progan.pixel_norm = plain_pixel_norm
    game = Game(with_torch_layers(recipe), source)
    for player in game.players.values():
        group = player.optimizer.param_groups[0]
        player.optimizer = torch.optim.Adam(player.parameters, lr=group["lr"], betas=group["betas"])
    return rounds(game)


def plain_pixel_norm(features: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Divide by the root mean square as papers' code does, with autograd's gradient."""
    return features * (features.square().mean(1, keepdim=True) + epsilon).rsqrt()


def plain_pix2pix(recipe: Any, source: Made) -> Step:
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


def plain_cyclegan(recipe: Any, source: Made) -> Step:
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


def with_torch_layers(network: Any) -> Any:
    """Put torch.nn's own layers in the place of ours, in place; what they compute is the same for one image."""
    for name, child in network.named_children():
        if isinstance(child, InstanceNorm2d):
            affine = child.weight is not None
            setattr(network, name, nn.BatchNorm2d(child.channels, affine=affine, track_running_stats=False))
        elif isinstance(child, Dropout):
            setattr(network, name, nn.Dropout(child.share))
        elif isinstance(child, PReLU):
            child.__class__ = nn.PReLU  # type: ignore[assignment]
        elif isinstance(child, conv.Conv2d):
            child.__class__ = nn.Conv2d  # type: ignore[assignment]
        elif isinstance(child, conv.ConvTranspose2d):
            child.__class__ = nn.ConvTranspose2d  # type: ignore[assignment]
        else:
            with_torch_layers(child)
    return network


def shares(name: str) -> dict[str, float]:
    """Return what shares of the recipe's round its parts take, in the machine's own precision, by torch's profiler."""
    step = played(name, device.pick_precision("auto", torch.device("cpu")))
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
    return {part: value / total for part, value in spent.items()}


def where(name: str, gain: float) -> str:
    """Say where the round's time goes, and how much of the gain over the plain loop that leaves to be had at most."""
    found = shares(name)
    parts = ", ".join(f"{part} {share:.0%}" for part, share in found.items())
    needed = sum(found[part] for part in NEEDED)
    return (
        f"Where {name}'s round goes, by torch's profiler, with its own cost: {parts}. If its {', '.join(NEEDED)} took "
        f"what they take now and all else nothing, it would play {gain / needed:.2f} times as fast as the plain loop."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast translation and phases play.")
    parser.add_argument("--passes", type=int, default=5, help="turns of every contestant")
    parser.add_argument("--steps", type=int, default=6, help="rounds in a turn")
    parser.add_argument("--only", default=",".join(SIZES), help="names of recipes, with commas")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/translators.json too")
    parser.add_argument("--serve", default=None, help="be the contestant of this name")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.serve:
        name, _, kind = options.serve.partition("-")
        serve(plain(name) if kind == "plain" else played(name, getattr(torch, kind)), work=BATCHES[name], warm_up=4)
        return
    rows = [
        ["recipe", "size", "batch", "plain loop, img/s", "float32, img/s", "bfloat16, img/s", "float32", "bfloat16"]
    ]
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
        rows.append([name, f"{SIZES[name]}x{SIZES[name]}", f"{BATCHES[name]}", *rates, *medians])
        passes = ", ".join(f"{gain:.2f}" for gain in gains["bfloat16"])
        goal = f"(goal {GOAL})" if name in ("pix2pix", "cyclegan") else "(no goal)"
        remarks += [f"{name}, bfloat16 over the plain loop {goal}, by pass: {passes}."]
        remarks.append(where(name, statistics.median(gains["bfloat16"])))
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("translators", "How fast translation and phases play, beside plain float32 loops", rows, remarks)


if __name__ == "__main__":
    main()
