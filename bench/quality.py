"""Quality after minutes: what a user gets from well-known loops, and from `zerosum train`, in the same time.

    python -m bench.quality [--marks 2,5,15] [--seeds 3] [--only NAME,...] [--save]

Fashion-MNIST (under $ZEROSUM_DATA/fashion_mnist). Loops are written here from their published algorithms, in float32
and with their authors' settings: PyTorch's DCGAN example, WGAN-GP, and the Keras DCGAN tutorial. Ours is typed without
a recipe, `zerosum train fashion_mnist --size 32`, once with the data's labels and once on a copy without; each mark is
a training of its own, because a run plans its rounds for its time. A loop is trained once, and sampled at each mark.

Minutes are of two cores: as many rounds as twice the time of one thread allows, counted as processor time, so that
other work on the machine takes nothing from anybody. 5,000 samples, 64x64 ones averaged down to 32x32, are compared
with the held-out images by FID on features of a classifier of the data's labels. Everything lies in --folder; what is
there is not made twice, but a loop that was stopped begins again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import plain_loops
from bench.default import Contestant, command, flags_here, trained_on
from bench.networks import LATENT, networks
from bench.plain_networks import dcgan_generator
from bench.results import save, table
from zerosum import api
from zerosum.data.options import DataConfig
from zerosum.inference.generate import finished, generate
from zerosum.kinds import open_data

COUNT = 5_000
Played = tuple[Callable[[], object], nn.Module]
"""A round, and the generator of images from latents (N, Z)."""
OURS = {"zerosum train": Contestant(None, True), "zerosum train, no labels": Contestant(None, False)}


@dataclass
class Loop:
    """A loop that is played by hand."""

    size: int
    batch: int
    build: Callable[[Callable[[], Tensor]], Played]
    """From a draw of real images."""
    latent: int
    told: str


def _dcgan_example(draw: Callable[[], Tensor]) -> Played:
    """Play PyTorch's example: batch 64, the discriminator on real and fake images, then the generator."""
    g, d = networks("torch", slope=0.0)
    _normal(g, d)
    step_g, step_d = (torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (g, d))
    entropy = functional.binary_cross_entropy_with_logits

    def step() -> None:
        real = draw()
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        d.zero_grad()
        entropy(d(real), ones).backward()
        fake = g(torch.randn(len(real), LATENT, 1, 1))
        entropy(d(fake.detach()), zeros).backward()
        step_d.step()
        g.zero_grad()
        entropy(d(fake), ones).backward()
        step_g.step()

    return step, nn.Sequential(nn.Unflatten(1, (LATENT, 1, 1)), g)


def _keras_tutorial(draw: Callable[[], Tensor]) -> Played:
    """Play the Keras tutorial: batch 128, dropout, noisy labels beyond 0 and 1, both players from one pass."""
    g, d = networks("torch", dropout=0.3, eps=1e-3)
    step_g, step_d = (torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999), eps=1e-7) for n in (g, d))
    entropy = functional.binary_cross_entropy_with_logits

    def step() -> None:
        real = draw()
        d_real, d_fake = d(real), d(g(torch.randn(len(real), LATENT, 1, 1)))
        of_real = entropy(d_real, 1 + 0.1 * torch.rand(len(real)))
        of_fake = entropy(d_fake, -0.1 * torch.rand(len(real)))
        step_g.zero_grad()
        step_d.zero_grad()
        ((of_real + of_fake) / 2).backward(inputs=list(d.parameters()), retain_graph=True)
        entropy(d_fake, torch.ones(len(real))).backward(inputs=list(g.parameters()))
        step_d.step()
        step_g.step()

    return step, nn.Sequential(nn.Unflatten(1, (LATENT, 1, 1)), g)


def _wgan_gp(draw: Callable[[], Tensor]) -> Played:
    """Play WGAN-GP with DCGAN's networks of 64 channels, the critic without norms: batch 64, 5 moves, lambda 10."""
    g = dcgan_generator(128, (1, 32, 32), 64)
    widths = (1, 64, 128, 256)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Conv2d(fan_in, fan_out, 4, 2, 1), nn.LeakyReLU(0.2)]
    d = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 1), nn.Flatten(0))
    settings = SimpleNamespace(lr=1e-4, betas=(0.5, 0.9), n_critic=5, penalty=10.0, latent_dim=128, ema_decay=0.999)
    step = plain_loops.wgan_gp(g, d, lambda: (draw(), torch.empty(0)), settings)
    return step, g


LOOPS = {
    "PyTorch's DCGAN example": Loop(64, 64, _dcgan_example, LATENT, "64 channels, 64x64, Adam 2e-4"),
    "Keras DCGAN tutorial": Loop(64, 128, _keras_tutorial, LATENT, "64 channels, 64x64, dropout 0.3, Adam 2e-4"),
    "WGAN-GP loop": Loop(32, 64, _wgan_gp, 128, "64 channels, 32x32, 5 moves of the critic, Adam 1e-4"),
}


def _normal(*nets: nn.Module) -> None:
    """Draw weights as DCGAN does: N(0, 0.02), and N(1, 0.02) for the scales of batch norm."""
    for module in (module for net in nets for module in net.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


def at(place: Path, mark: float, ending: str) -> Path:
    """Return where something of a mark lies."""
    return place.parent / f"{place.name}-{mark:g}{ending}"


def play_loop(loop: Loop, data: Path, place: Path, seed: int, marks: list[float]) -> None:
    """Train a loop to each mark and keep its samples: PLACE-MARK.npy, with the rounds in PLACE-MARK.rounds."""
    torch.manual_seed(seed)
    real = open_data(data, options=DataConfig(size=str(loop.size))).real(np.arange(60_000))
    random = torch.Generator().manual_seed(seed)

    def draw() -> Tensor:
        rows = torch.randint(len(real), (loop.batch,), generator=random)
        return real[rows].float() / 127.5 - 1

    step, generator = loop.build(draw)
    spent, rounds = 0.0, 0
    for mark in marks:
        while spent < mark * 120:
            began = time.process_time()
            step()
            spent, rounds = spent + time.process_time() - began, rounds + 1
            if rounds % 200 == 0:
                print(f"{place.name}  round {rounds}  {spent / 120:.1f} of {marks[-1]:g} minutes", flush=True)
        keep_samples(generator, loop, place, mark, rounds)


@torch.no_grad()
def keep_samples(generator: nn.Module, loop: Loop, place: Path, mark: float, rounds: int) -> None:
    """Write 5,000 samples of 32x32, with batch norm as in evaluation, and leave the generator as it was."""
    generator.eval()
    fixed = torch.Generator().manual_seed(0)
    parts = [generator(torch.randn(250, loop.latent, generator=fixed)) for _ in range(COUNT // 250)]
    generator.train()
    images = torch.cat(parts)
    if loop.size == 64:
        images = functional.avg_pool2d(images, 2)
    np.save(at(place, mark, ".npy"), ((images + 1) * 127.5).round().clamp(0, 255).byte().numpy()[:, 0])
    at(place, mark, ".rounds").write_text(str(rounds))


def play_ours(contestant: Contestant, data: Path, place: Path, seed: int, mark: float) -> None:
    """Train as typed for a mark, and keep samples."""
    where = trained_on(data, contestant, place.parent)
    run = at(place, mark, "-run")
    if (run / "run.json").exists():
        words = ["--resume", str(run)]
    else:
        length = flags_here(where, ["--size", "32"], contestant, mark)
        words = [str(where), "--size", "32", *length, "--seed", str(seed), "--run", str(run)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command("train", *words, "--device", "cpu"), env=environment, check=True)
    recipe = api.load(run, device="cpu")
    images = finished(recipe.spec, generate(recipe, COUNT, 0, chunk=250))[:, 0]
    np.save(at(place, mark, ".npy"), images.numpy())
    last = json.loads((run / "history.jsonl").read_text().splitlines()[-1])
    at(place, mark, ".rounds").write_text(str(last["round"]))


def figures(name: str, data: Path, place: Path, seed: int, marks: list[float]) -> list[list[str]]:
    """Play what is missing and evaluate it; return a row for each mark."""
    missing = [mark for mark in marks if not at(place, mark, ".npy").exists()]
    if missing and name in LOOPS:
        play_loop(LOOPS[name], data, place, seed, marks)
    for mark in missing if name in OURS else []:
        play_ours(OURS[name], data, place, seed, mark)
    rows = []
    for mark in marks:
        samples, result = (at(place, mark, ending) for ending in (".npy", ".json"))
        if not result.exists():
            api.evaluate(
                samples, against=str(data), metrics="fid", features="classifier", count=COUNT, size="32", out=result
            )
        fid = json.loads(result.read_text())["figures"][0]
        bounds = "{low:.1f} to {high:.1f}".format(**fid["interval"])
        rounds = f"{int(at(place, mark, '.rounds').read_text()):,}"
        rows.append([name, f"{mark:g}", str(seed), rounds, f"{fid['value']:.1f}", bounds, f"{fid['floor']:.1f}"])
        print(*rows[-1], sep="  ", flush=True)
    return rows


def main() -> None:
    """Train, evaluate, and write docs/benchmarks/quality.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--marks", default="2,5,15", help="minutes of two cores")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", help="contestants, by semicolons")
    parser.add_argument("--folder", type=Path, default=Path("runs/quality"))
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ.get("ZEROSUM_DATA", "data")).expanduser() / "fashion_mnist"
    marks = [float(mark) for mark in options.marks.split(",")]
    names = [*OURS, *LOOPS] if options.only is None else options.only.split(";")
    found = []
    for seed in range(options.seeds):
        for name in names:
            place = options.folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            found += figures(name, data, place, seed, marks)
    found.sort(key=lambda row: (float(row[1]), names.index(row[0]), row[2]))
    rows = [["trained by", "minutes", "seed", "rounds", "FID-classifier", "95 %", "floor"], *found]
    print(table(rows))
    if options.save:
        remarks = [
            "Fashion-MNIST at 32x32; minutes of two cores, counted as processor time of one thread. `zerosum train` "
            "has no flags but --size, --seed and the rounds that fit the time; with the data's labels, and on a copy "
            "without. Each of its marks is a training of its own.",
            *(f"{name}: {loop.told}, batch {loop.batch}, float32." for name, loop in LOOPS.items() if name in names),
            "5,000 samples, those of 64x64 averaged down, against the held-out images; features of a classifier of the "
            "data's labels.",
        ]
        print(save("quality", "Quality after minutes, beside well-known loops", rows, remarks))


if __name__ == "__main__":
    main()
