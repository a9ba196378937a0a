"""Every recipe at the size of its paper, or near it: how fast it is, in how much memory, and whether it resumes."""

from __future__ import annotations

import copy
import io
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from bench.gpu_beside import synchronise
from zerosum import kinds, recipes
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.runtime import rng
from zerosum.runtime.device import deterministic
from zerosum.tasks import ConditionalRecipe
from zerosum.training.build import pick_arithmetic


@dataclass(frozen=True)
class Case:
    """A recipe at a size."""

    recipe: str
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    source: tuple[int, ...] | None = None
    classes: int = 0


CASES = (
    Case("lsgan", (3, 64, 64), {"preset": "dcgan"}),
    Case("wgan", (3, 64, 64), {"preset": "dcgan", "long_rounds": 0, "long_every": 0}),
    Case("cgan", (3, 64, 64), {"preset": "dcgan"}, classes=10),
    Case("acgan", (3, 32, 32), {"preset": "paper"}, classes=10),
    Case("sngan", (3, 32, 32), {"preset": "cifar10"}),
    Case("projection", (3, 64, 64), {"preset": "imagenet"}, classes=10),
    Case("biggan", (3, 32, 32), {"preset": "cifar10"}, classes=10),
    Case("r3gan", (3, 32, 32), {"preset": "cifar10", "batch": 64}, classes=10),
    Case("stylegan2", (3, 64, 64), {"preset": "paper256"}),
    Case("stackgan", (3, 64, 64)),
    Case("age_cgan", (3, 64, 64), classes=6),
    Case("wavegan", (1, 16_384)),
    Case("gan3d", (1, 32, 32, 32)),
    Case("dvdgan", (16, 3, 32, 32)),
    Case("gan", (1, 28, 28)),
    Case("gan", (2,)),
    Case("dcgan", (3, 64, 64)),
    Case("wgan_gp", (3, 64, 64)),
    Case("unrolled", (2,)),
    Case("infogan", (1, 32, 32)),
    Case("progan", (3, 64, 64)),
    Case("pix2pix", (3, 256, 256), {"preset": "paper", "batch": 1}, (3, 256, 256)),
    Case("pix2pix", (3, 256, 256), {"preset": "paper", "batch": 16}, (3, 256, 256)),
    Case("cyclegan", (3, 256, 256), {"preset": "paper", "batch": 1}, (3, 256, 256)),
    Case("srgan", (3, 96, 96), {"preset": "paper", "pretrain": 1}, (3, 24, 24)),
    Case("inpaint", (3, 128, 128), {"preset": "paper"}),
)


def play(case: Case, place: torch.device, precision: str) -> Game[Any]:
    """Set up a game of a case."""
    kind = next(
        kind
        for kind in kinds.of_batches(recipes.find(case.recipe).data)
        if (kind.name == "points") == (len(case.shape) == 1)
    )
    classes = tuple(map(str, range(case.classes)))
    spec = Spec(shape=case.shape, kind=kind.name, source_shape=case.source, classes=classes)
    recipe_class = recipes.find(case.recipe)
    torch.manual_seed(0)
    recipe = recipe_class(recipe_class.Config.for_kind(kind.name, case.settings), spec)
    arithmetic, layout = pick_arithmetic(kind, place, precision)
    recipe = recipe.to(memory_format=layout).to(place)  # type: ignore[call-overload]
    source = Stream(kind.example(spec, 512), seed=0, jitter=recipe.jitter)
    return Game(recipe, source, precision=arithmetic, memory_format=layout)


def rounds(game: Game[Any], count: int) -> None:
    """Play rounds of the last phase."""
    phases = list(game.recipe.phases())
    game.begin_phase(len(phases) - 1, phases[-1])
    for _ in range(count):
        phases[-1].play(game)
        game.end_round()


def small_cases() -> list[Case]:
    """Return every recipe, small, for a rehearsal."""
    from tests.recipes.conftest import SMALL, kind_for, shape_of

    found = []
    for name, settings in SMALL.items():
        shape = shape_of(name, (3, 16, 16))
        kind = kinds.find(kind_for(name, shape) or "")
        side = 8 if name == "srgan" else 16
        source = None if kind.single else (shape[0], side, side)
        classes = 3 if issubclass(recipes.find(name), ConditionalRecipe) else 0
        found.append(Case(name, shape, {"batch": 8, **settings}, source, classes))
    return found


def measure(case: Case, place: torch.device, precision: str, *, warm: int, timed: int) -> list[str]:
    """Time a case, and try whether it resumes."""
    cuda = place.type == "cuda"
    with rng.fork(place, seed=0), deterministic(place):
        game = play(case, place, precision)
        rounds(game, warm)
        synchronise(place)
        if cuda:
            torch.cuda.reset_peak_memory_stats(place)
        seen, start = game.clock.seen, time.perf_counter()
        rounds(game, timed)
        game.check()
        synchronise(place)
        speed = (game.clock.seen - seen) / (time.perf_counter() - start)
        peak = f"{torch.cuda.max_memory_allocated(place) / 2**30:.2f}" if cuda else ""
        apart, finite = resumed(game, case, place, precision)
    size = "x".join(map(str, case.shape))
    arithmetic = str(game.environment()["precision"])
    name = f"{case.recipe}, batch {game.recipe.config.batch}"
    return [name, size, arithmetic, f"{speed:,.0f}", peak, f"{apart:.1e}", "yes" if finite else "NO"]


def resumed(game: Game[Any], case: Case, place: torch.device, precision: str) -> tuple[float, bool]:
    """Save a game, play on, and resume; return the largest difference of weights and buffers, and if all are finite."""
    weights = copy.deepcopy(game.recipe.state_dict())
    buffer = io.BytesIO()
    torch.save(game.state_dict(), buffer)
    rounds(game, 3)
    straight = copy.deepcopy(game.recipe.state_dict())
    other = play(case, place, precision)
    other.recipe.load_state_dict(weights)
    buffer.seek(0)
    other.load_state_dict(torch.load(buffer, map_location="cpu", weights_only=True))
    rounds(other, 3)
    theirs = other.recipe.state_dict()
    apart = max(float((a.double() - theirs[key].double()).abs().max()) for key, a in straight.items() if a.numel())
    game.source.close()
    other.source.close()
    return apart, all(bool(value.isfinite().all()) for value in theirs.values())
