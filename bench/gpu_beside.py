"""Four recipes on a device beside plain loops of the same networks, and the share of what the device can multiply."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from bench import plain_loops
from bench import recipes as plain_recipes
from zerosum import kinds
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.recipes import find
from zerosum.runtime.device import deterministic
from zerosum.training.build import pick_arithmetic

BESIDE: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "dcgan": ((3, 64, 64), {}),
    "wgan_gp": ((3, 64, 64), {}),
    "stylegan2": ((3, 64, 64), {"preset": "large"}),
    "r3gan": ((3, 32, 32), {"preset": "large"}),
}
QUICK: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "dcgan": ((3, 16, 16), {"width": 4, "batch": 8}),
    "wgan_gp": ((3, 16, 16), {"width": 4, "batch": 8}),
    "stylegan2": ((3, 16, 16), {"base": 64, "max_channels": 8, "batch": 8}),
    "r3gan": ((3, 16, 16), {"widths": (8, 4), "group": 8, "batch": 8}),
}
PLAIN = plain_recipes.PLAIN | {
    "dcgan": (plain_recipes.dcgan, plain_loops.gan),
    "wgan_gp": (plain_recipes.wgan_gp, plain_loops.wgan_gp),
}


class Operations(TorchDispatchMode):
    """Counts the operations of products and convolutions; torch's own counter fails in torch.autograd.grad."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if (count := flop_registry.get(func.overloadpacket)) is not None:
            self.total += count(*args, **(kwargs or {}), out_val=made)
        return made


def synchronise(place: torch.device) -> None:
    """Wait for what a device still computes."""
    if place.type == "cuda":
        torch.cuda.synchronize(place)


def seconds(step: Callable[[], object], place: torch.device, *, warm: int, timed: int) -> float:
    """Return the seconds of a step."""
    for _ in range(warm):
        step()
    synchronise(place)
    start = time.perf_counter()
    for _ in range(timed):
        step()
    synchronise(place)
    return (time.perf_counter() - start) / timed


def peak(place: torch.device, precision: torch.dtype, *, side: int, timed: int) -> float:
    """Return the operations a second of a large product of matrices: what the device reaches at its best."""
    a, b = (torch.randn(side, side, device=place, dtype=precision) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, place, warm=3, timed=timed)


def beside(name: str, place: torch.device, *, quick: bool, warm: int, timed: int, peaks: dict[str, float]) -> list[str]:
    """Time a recipe as `zerosum train` plays it, in float32 and as --precision auto picks, and a plain loop."""
    shape, settings = (QUICK if quick else BESIDE)[name]
    spec, kind = Spec(shape=shape), find(name)
    config: Any = kind.Config.for_kind("images", settings)
    source = kinds.find("images").example(spec, 512)
    rates, shares = {}, {}
    for asked in ("float32", "auto"):
        torch.manual_seed(0)
        precision, layout = pick_arithmetic(kinds.find("images"), place, asked)
        recipe = kind(config, spec).to(memory_format=layout).to(place)  # type: ignore[call-overload]
        game = Game(recipe, Stream(source, seed=0, jitter=recipe.jitter), precision=precision, memory_format=layout)

        def step(game: Game[Any] = game) -> None:
            game.recipe.round(game)
            game.end_round()

        with deterministic(place):
            with Operations() as counter:
                step()
            before = game.clock.seen
            took = seconds(step, place, warm=warm, timed=timed)
        rates[asked] = (game.clock.seen - before) / (warm + timed) / took
        shares[asked] = counter.total / took / peaks["float32" if asked == "float32" else "bfloat16"]
        game.source.close()
    work = config.batch * getattr(config, "n_critic", 1)
    plain = work / seconds(plain_step(name, config, spec, place), place, warm=warm, timed=timed)
    size = "x".join(map(str, shape))
    return [
        f"{name}, batch {config.batch}", size, f"{plain:,.0f}", f"{rates['float32']:,.0f}", f"{rates['auto']:,.0f}",
        f"{rates['float32'] / plain:.2f}x", f"{rates['auto'] / plain:.2f}x",
        f"{shares['float32']:.1%}", f"{shares['auto']:.1%}",
    ]  # fmt: skip


def plain_step(name: str, config: Any, spec: Spec, place: torch.device) -> Callable[[], object]:
    """Return a round of the loop that one writes from the paper, with as many weights as the recipe's."""
    make, loop = PLAIN[name]
    with place:
        networks = make(config, spec)
        recipe: Any = find(name)(config, spec)
        ours, its = plain_loops.weights([recipe]), plain_loops.weights(networks)
        if ours != its:
            raise ValueError(f"the plain networks of {name} have {its:,} weights, and the recipe's {ours:,}")
        images = torch.rand(512, *spec.shape) * 2 - 1
        labels = torch.zeros(512, dtype=torch.int64)
        settings = SimpleNamespace(**{field: getattr(config, field) for field in config.names()}, labelled=())
        if name == "stylegan2":
            settings.gamma = recipe.gamma  # chosen by size and batch where the configuration leaves it open

        def draw() -> tuple[torch.Tensor, torch.Tensor]:
            rows = torch.randint(512, (config.batch,))
            return images[rows], labels[rows]

        step = loop(*networks, draw, settings)

    def on_device() -> None:
        with place:
            step()

    return on_device
