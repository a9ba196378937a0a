"""The same DCGAN round, 64x64x1, batch 128, written in several ways. `python -m bench.contestants NAME` serves one."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.networks import BATCH, IMAGES, LATENT, SIZE, Data, networks
from bench.race import Watch, answer, serve
from zerosum.runtime.device import keep_freed_memory

Step = Callable[[], object]


def plain() -> Step:
    """The usual tutorial's loop: float32, NCHW, default Adam, separate backward passes, `.item()` at each step."""
    generator, discriminator = networks("torch", slope=0.0)
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion, data = nn.BCEWithLogitsLoss(), Data()

    def step() -> None:
        real, ones, zeros = data.draw(), torch.ones(BATCH), torch.zeros(BATCH)
        discriminator.zero_grad()
        loss_real = criterion(discriminator(real), ones)
        loss_real.backward()
        fake = generator(torch.randn(BATCH, LATENT, 1, 1))
        loss_fake = criterion(discriminator(fake.detach()), zeros)
        loss_fake.backward()
        optimizer_d.step()
        generator.zero_grad()
        loss_g = criterion(discriminator(fake), ones)
        loss_g.backward()
        optimizer_g.step()
        _ = (loss_real + loss_fake).item(), loss_g.item()

    return step


def in_channels_last(network: nn.Module) -> nn.Module:
    """Bring the weights of convolutions to that order in memory."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def tuned(kind: str, precision: torch.dtype) -> Step:
    """The tutorial's round, every setting: channels-last, frozen discriminator, fused Adam, kept memory, autocast."""
    keep_freed_memory()
    generator, discriminator = map(in_channels_last, networks(kind, slope=0.0))
    adam = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True}
    optimizer_g, optimizer_d = (torch.optim.Adam(n.parameters(), **adam) for n in (generator, discriminator))
    data, ones, zeros = Data(), torch.ones(BATCH), torch.zeros(BATCH)
    entropy = functional.binary_cross_entropy_with_logits

    def step() -> None:
        real = data.draw().contiguous(memory_format=torch.channels_last)
        optimizer_d.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            fake = generator(torch.randn(BATCH, LATENT, 1, 1))
            d_real, d_fake = discriminator(real), discriminator(fake.detach())
        (entropy(d_real.float(), ones) + entropy(d_fake.float(), zeros)).backward()
        optimizer_d.step()
        discriminator.requires_grad_(False)
        optimizer_g.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            d_fake = discriminator(fake)
        entropy(d_fake.float(), ones).backward()
        optimizer_g.step()
        discriminator.requires_grad_(True)

    return step


def recipe_by_hand(precision: torch.dtype) -> Step:
    """What the dcgan recipe computes, on its own networks, without the trainer: what the trainer itself costs."""
    from zerosum import objectives
    from zerosum.data.spec import Spec
    from zerosum.recipes.dcgan import DCGAN, Config

    keep_freed_memory()
    recipe = DCGAN(Config(batch=BATCH), Spec(shape=(1, SIZE, SIZE)))
    recipe = recipe.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator, discriminator = recipe.generator, recipe.discriminator
    adam = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True}
    optimizer_g, optimizer_d = (torch.optim.Adam(n.parameters(), **adam) for n in (generator, discriminator))
    live = [*generator.parameters(), *(b for b in generator.buffers() if b.is_floating_point())]
    average = [tensor.detach().clone() for tensor in live]
    data = Data()
    labels = {"real_label": torch.full((BATCH,), 0.9), "fake_label": torch.zeros(BATCH)}

    def step() -> None:
        real = data.draw().contiguous(memory_format=torch.channels_last)
        autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16)
        discriminator.requires_grad_(False)
        optimizer_g.zero_grad()
        with autocast:
            fake = generator(torch.randn(BATCH, LATENT))
            loss = objectives.non_saturating_generator(discriminator(fake))
        loss.backward()
        optimizer_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, live, 0.001)
        discriminator.requires_grad_(True)
        optimizer_d.zero_grad()
        with autocast:
            d_real, d_fake = discriminator(real), discriminator(fake.detach())
            loss = objectives.labelled_discriminator(d_real, d_fake, **labels)
        loss.backward()
        optimizer_d.step()

    return step


def keras_recipe(precision: torch.dtype) -> Step:
    """The Keras tutorial's round: dropout, noisy labels, both gradients from one forward pass, both players at once."""
    keep_freed_memory()
    generator, discriminator = map(in_channels_last, networks("ours", dropout=0.3, eps=1e-3))
    adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7, "fused": True}
    weights_g, weights_d = list(generator.parameters()), list(discriminator.parameters())
    optimizer_g, optimizer_d = (torch.optim.Adam(weights, **adam) for weights in (weights_g, weights_d))
    data, ones = Data(), torch.ones(BATCH)
    entropy = functional.binary_cross_entropy_with_logits

    def step() -> None:
        real = data.draw().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            d_real = discriminator(real)
            d_fake = discriminator(generator(torch.randn(BATCH, LATENT, 1, 1)))
        loss_real = entropy(d_real.float(), 1 + 0.1 * torch.rand(BATCH))
        loss_fake = entropy(d_fake.float(), -0.1 * torch.rand(BATCH))
        optimizer_g.zero_grad()
        optimizer_d.zero_grad()
        ((loss_real + loss_fake) / 2).backward(inputs=weights_d, retain_graph=True)
        entropy(d_fake.float(), ones).backward(inputs=weights_g)
        optimizer_d.step()
        optimizer_g.step()

    return step


def trainer(precision: str, steps: int) -> None:
    """`zerosum train --recipe dcgan` itself, told to log every `steps` rounds, and held at each log for its turn."""
    from zerosum import api

    class Turns:
        """A progress display that waits for the race's next command."""

        def __init__(self) -> None:
            self.logs = 0

        def update(self, status: object) -> None:
            self.logs += 1
            if self.logs == 1:
                answer({"ready": True})
            else:
                answer(self.watch.read() | {"work": steps * BATCH})
            if not sys.stdin.readline():
                raise SystemExit
            self.watch = Watch()

        def note(self, text: str) -> None: ...

        def close(self) -> None: ...

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, np.random.default_rng(0).integers(0, 256, (IMAGES, SIZE, SIZE), dtype=np.uint8))
        settings: dict[str, Any] = {"cache": folder, "batch": BATCH, "precision": precision, "rounds": 10**6}
        settings |= {"log_every": steps, "save_every": 10**6, "preview_every": 10**6}
        api.train(path, recipe="dcgan", run=Path(folder) / "run", progress=Turns(), **settings)


def loader() -> Step:
    """What `game.draw()` does: shuffled rows of a file mapped into memory, on the device, as float in [-1, 1]."""
    from zerosum.data.options import DataConfig
    from zerosum.data.stream import Stream
    from zerosum.kinds import open_data

    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, np.random.default_rng(0).integers(0, 256, (20_000, SIZE, SIZE), dtype=np.uint8))
        stream = Stream(open_data(path, options=DataConfig(cache=folder)), seed=0)
        stream.draw(BATCH)  # the file is open now, and stays so without its name
    device = torch.device("cpu")
    return lambda: stream.draw(BATCH).to(device, torch.channels_last)


def multiply(precision: torch.dtype) -> tuple[Step, float]:
    """The machine's matrix peak: the fastest oneDNN convolution we know of, and its operations."""
    n, channels, size = 32, 256, 32
    x = torch.randn(n, channels, size, size).to(precision, memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3).to(precision, memory_format=torch.channels_last)

    def step() -> None:
        with torch.no_grad():
            functional.conv2d(x, weight, padding=1)

    inside = (3 * size - 2) ** 2  # taps that fall on the image and not on its padding
    return step, 2.0 * n * channels * channels * inside


STEPS: dict[str, Callable[[], Step]] = {
    "plain": plain,
    "simple-bfloat16": lambda: tuned("torch", torch.bfloat16),
    "tuned-bfloat16": lambda: tuned("ours", torch.bfloat16),
    "simple-float32": lambda: tuned("torch", torch.float32),
    "tuned-float32": lambda: tuned("ours", torch.float32),
    "by-hand-bfloat16": lambda: recipe_by_hand(torch.bfloat16),
    "by-hand-float32": lambda: recipe_by_hand(torch.float32),
    "loader": loader,
    "keras-recipe-bfloat16": lambda: keras_recipe(torch.bfloat16),
    "keras-recipe-float32": lambda: keras_recipe(torch.float32),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    torch.manual_seed(0)
    kind, _, precision = options.name.partition("-")
    if kind == "peak":
        step, operations = multiply(getattr(torch, precision))
        serve(step, work=operations, warm_up=5)
    elif kind == "trainer":
        trainer(precision, options.steps)
    else:
        serve(STEPS[options.name](), work=BATCH, warm_up=6)


if __name__ == "__main__":
    main()
