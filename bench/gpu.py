"""Every recipe on a GPU: is a round that of the CPU, does it resume, how fast is it, in how much memory?

    python -m bench.gpu --save                  on a GPU, in 10 minutes at most
    python -m bench.gpu --device cpu --quick    a rehearsal of all of it, of small networks

Four parts, each of which ends when its time is up and names what it left out:

- peak: what the device reaches in a product of large matrices.
- equal: a round of each recipe of the registry, small, from the same weights, samples and draws as on the CPU.
- beside: four recipes as `zerosum train` plays them, beside plain loops of the same networks (`bench.plain_loops`).
- cases: each recipe at the size of its paper, or near it, on random data, in float32 (TF32 off) and as `--precision
  auto` picks: images a second, the peak of the GPU's memory, and `resumed`, the largest difference of a weight where
  the game is saved in the middle and resumed.
"""

from __future__ import annotations

import argparse
import copy
import io
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from bench.gpu_beside import BESIDE, beside, peak, synchronise
from bench.gpu_equal import TOLERANCE, apart
from bench.results import save, table
from zerosum import kinds, recipes
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.runtime import device as machine
from zerosum.runtime import rng
from zerosum.tasks import ConditionalRecipe


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
    Case("stackgan", (3, 64, 64)),
    Case("age_cgan", (3, 64, 64), classes=6),
    Case("wavegan", (1, 16_384)),
    Case("gan3d", (1, 32, 32, 32)),
    Case("dvdgan", (16, 3, 32, 32)),
)
PARTS = {"peak": 20, "equal": 120, "beside": 120, "cases": 300}
"""Seconds that each part may take."""
WARM = 10


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
    with rng.fork(place, seed=0):
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
    """Save a game, play on, and resume; return the largest difference of a weight, and whether all are finite."""
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


def within(part: str, work: Iterable[Callable[[], list[str]]], names: Sequence[str]) -> tuple[list[list[str]], str]:
    """Do the work of a part until its time is up; return its rows, and a sentence on the time and what was left out."""
    start, rows = time.monotonic(), []
    for step in work:
        if time.monotonic() - start > PARTS[part]:
            break
        rows.append(step())
        print(*rows[-1], sep="  ", flush=True)
    left = [f"; left out: {', '.join(names[len(rows) :])}"] if len(rows) < len(names) else []
    return rows, f"{part}: {time.monotonic() - start:.0f} s of {PARTS[part]}{''.join(left)}."


def peaks(place: torch.device, *, quick: bool) -> dict[str, float]:
    """Return the operations a second of large products of matrices, by precision."""
    types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    side, timed = (256, 2) if quick else (8192, 10)
    return {name: peak(place, each, side=side, timed=timed) for name, each in types.items()}


def equality(name: str, place: torch.device) -> list[str]:
    """Return the row of a recipe: how far a round on a device is from that on the CPU."""
    found = apart(name, place)
    return [name, f"{found:.1e}", "yes" if found <= TOLERANCE else "NO"]


EQUAL_HEAD = ["recipe", "largest difference / largest step", "equal"]
BESIDE_HEAD = [
    "recipe", "sample", "plain loop, images/s", "float32, images/s", "auto, images/s", "float32", "auto",
    "share of the peak, float32", "share of the peak, auto",
]  # fmt: skip
HEAD = ["recipe", "sample", "precision", "images/s", "GPU memory, GiB", "resumed", "finite"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timed", type=int, default=30, help="rounds that are timed")
    parser.add_argument("--only", help="recipes, by commas")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="small networks and few rounds: no figure counts")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/gpu-*.json too")
    options = parser.parse_args()
    try:
        place = machine.pick_device(options.device)
    except InputError as error:
        sys.exit(str(error))
    if options.save and (options.quick or place.type == "cpu"):
        sys.exit("A rehearsal is not saved: leave out --save.")
    warm, timed = (1, 1) if options.quick else (WARM, options.timed)
    print(*(f"{part}: {seconds} s at most" for part, seconds in PARTS.items()), sep="\n", flush=True)

    def chosen(names: Iterable[str]) -> list[str]:
        return [name for name in names if options.only is None or name in options.only.split(",")]

    start = time.monotonic()
    best = peaks(place, quick=options.quick)
    told = [f"peak: {time.monotonic() - start:.0f} s of {PARTS['peak']}."]
    names = chosen(recipes.names())
    equal, said = within("equal", (partial(equality, name, place) for name in names), names)
    told.append(said)
    names = chosen(BESIDE)
    loops = (partial(beside, name, place, quick=options.quick, warm=warm, timed=timed, peaks=best) for name in names)
    compared, said = within("beside", loops, names)
    told.append(said)
    cases = [case for case in (small_cases() if options.quick else CASES) if case.recipe in chosen([case.recipe])]
    work = [(case, precision) for case in cases for precision in ("float32", "auto")]
    steps = (partial(measure, *each, warm=warm, timed=timed) for each in ((c, place, p) for c, p in work))
    rows, said = within("cases", steps, [f"{case.recipe} ({precision})" for case, precision in work])
    told.append(said)
    card = torch.cuda.get_device_name(place) if place.type == "cuda" else "a CPU"
    reached = ", ".join(f"{rate / 1e12:.1f} Tflop/s in {name}" for name, rate in best.items())
    remarks = [f"{card}, torch {torch.__version__}; {timed} rounds after {warm}.", *told]
    parts = (
        ("gpu-equal", "A round on a GPU and on the CPU", [EQUAL_HEAD, *equal], []),
        ("gpu-beside", "Recipes on a GPU beside plain loops", [BESIDE_HEAD, *compared], [f"Peak: {reached}."]),
        ("gpu", "Every recipe on a GPU", [HEAD, *rows], []),
    )
    for file, title, shown, more in parts:
        print(table(shown), *more, *remarks, sep="\n\n")
        if options.save:
            save(file, title, shown, [*more, *remarks])
    if wrong := [row[0] for row in equal if row[-1] == "NO"] + [row[0] for row in rows if row[-1] == "NO"]:
        sys.exit(f"Not equal, or not finite: {', '.join(wrong)}.")


if __name__ == "__main__":
    main()
