"""Every recipe on a GPU: does it train, resume and sample there, and how fast is it?

    python -m bench.gpu --save

A round of each recipe at the size of its paper, or near it, on random data, in float32 (TF32 off) and as `--precision
auto` picks; images a second over the timed rounds, and the peak of the GPU's memory. Each game is also saved in the
middle and resumed: `resumed` is the largest difference of a weight from the run that was not interrupted.
"""

from __future__ import annotations

import argparse
import copy
import io
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from bench.results import save, table
from zerosum import kinds, recipes
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.runtime import device as machine
from zerosum.runtime import rng


@dataclass(frozen=True)
class Case:
    """A recipe at a size."""

    recipe: str
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    source: tuple[int, ...] | None = None
    classes: int = 0


CASES = (
    Case("gan", (1, 28, 28)),
    Case("gan", (2,)),
    Case("dcgan", (3, 64, 64)),
    Case("wgan_gp", (3, 64, 64)),
    Case("unrolled", (2,)),
    Case("infogan", (1, 32, 32)),
    Case("progan", (3, 64, 64)),
    Case("pix2pix", (3, 256, 256), {"batch": 1}, (3, 256, 256)),
    Case("pix2pix", (3, 256, 256), {"batch": 16}, (3, 256, 256)),
    Case("cyclegan", (3, 256, 256), {"batch": 1}, (3, 256, 256)),
    Case("srgan", (3, 96, 96), {"pretrain": 1}, (3, 24, 24)),
    Case("inpaint", (3, 128, 128)),
    Case("lsgan", (3, 64, 64), {"preset": "dcgan"}),
    Case("wgan", (3, 64, 64), {"preset": "dcgan", "long_rounds": 0}),
    Case("cgan", (3, 64, 64), {"preset": "dcgan"}, classes=10),
    Case("acgan", (3, 32, 32), {"preset": "paper"}, classes=10),
    Case("sngan", (3, 32, 32), {"preset": "cifar10"}),
    Case("projection", (3, 64, 64), {"preset": "imagenet"}, classes=10),
    Case("biggan", (3, 32, 32), {"preset": "cifar10"}, classes=10),
    Case("r3gan", (3, 32, 32), {"preset": "cifar10", "batch": 64}, classes=10),
    Case("stylegan2", (3, 64, 64), {"preset": "paper256"}),
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
    arithmetic = machine.pick_precision(precision if kind.precision == "auto" else "float32", place)
    layout = machine.pick_memory_format("auto", place, arithmetic)
    if kind.memory_format is None:
        layout = torch.contiguous_format
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


def measure(case: Case, place: torch.device, precision: str, *, timed: int) -> list[str]:
    """Time a case, and try whether it resumes."""
    with rng.fork(place, seed=0):
        game = play(case, place, precision)
        rounds(game, 10)
        torch.cuda.synchronize(place)
        torch.cuda.reset_peak_memory_stats(place)
        seen, start = game.clock.seen, time.perf_counter()
        rounds(game, timed)
        game.check()
        torch.cuda.synchronize(place)
        speed = (game.clock.seen - seen) / (time.perf_counter() - start)
        peak = torch.cuda.max_memory_allocated(place) / 2**30
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
        apart = max(
            float((a - b).abs().max())
            for a, b in zip(straight.values(), other.recipe.state_dict().values(), strict=True)
        )
        finite = all(bool(t.isfinite().all()) for t in other.recipe.state_dict().values())
        game.source.close()
        other.source.close()
    size = "x".join(map(str, case.shape))
    arithmetic = str(game.environment()["precision"])
    name = f"{case.recipe}, batch {game.recipe.config.batch}"
    return [name, size, arithmetic, f"{speed:,.0f}", f"{peak:.2f}", f"{apart:.1e}", "yes" if finite else "NO"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timed", type=int, default=40, help="rounds that are timed")
    parser.add_argument("--only", help="recipes, by commas")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/gpu.json too")
    options = parser.parse_args()
    try:
        place = machine.pick_device("cuda")
    except InputError as error:
        sys.exit(str(error))
    rows = [["recipe", "sample", "precision", "images/s", "GPU memory, GiB", "resumed", "finite"]]
    for case in (case for case in CASES if options.only is None or case.recipe in options.only.split(",")):
        for precision in ("float32", "auto"):
            row = measure(case, place, precision, timed=options.timed)
            print(*row, sep="  ", flush=True)
            rows.append(row)
    remarks = [f"{torch.cuda.get_device_name(place)}, torch {torch.__version__}; {options.timed} rounds after 10."]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("gpu", "Every recipe on a GPU", rows, remarks)


if __name__ == "__main__":
    main()
