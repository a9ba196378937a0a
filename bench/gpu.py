"""Every recipe on a GPU: is a round that of the CPU, does it resume, how fast is it, in how much memory?

    python -m bench.gpu --save                  on a GPU, in 10 minutes at most
    python -m bench.gpu --device cpu --quick    a rehearsal of all of it, of small networks

Three parts (`--parts equal,cases` for some of them), each of which ends when its time is up and names what it left out
and what failed:

- equal: the gradients of a round of each recipe of the registry, small, from the same weights, samples and draws as on
  the CPU, without TF32.
- beside: four recipes as `zerosum train` plays them, beside plain loops of the same networks (`bench.plain_loops`), and
  what the device reaches in a product of large matrices.
- cases: each recipe at the size of its paper, or near it, on random data, in float32 (convolutions in TF32, PyTorch's
  default) and as `--precision auto` picks: images a second, the peak of the GPU's memory, and `resumed`, the largest
  difference of a weight or a buffer where the game is saved in the middle and resumed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from bench.gpu_beside import BESIDE, beside, peak
from bench.gpu_cases import CASES, measure, small_cases
from bench.gpu_equal import TOLERANCE, apart
from bench.results import save, table
from zerosum import recipes
from zerosum.errors import InputError
from zerosum.runtime import device as machine

PARTS = {"equal": 120, "beside": 90, "cases": 240}
"""Seconds that each part may take."""
WARM = 10


@dataclass(frozen=True)
class Part:
    """What a part of the benchmark found."""

    rows: list[list[str]]
    failed: list[str]
    said: str
    """A sentence on the time it took, what failed and what was left out."""


def within(part: str, work: Iterable[Callable[[], list[str]]], names: Sequence[str]) -> Part:
    """Do the work of a part until its time is up; what fails is named, and takes no other recipe's figure."""
    start = time.monotonic()
    rows: list[list[str]] = []
    failed: list[str] = []
    for name, step in zip(names, work, strict=True):
        if time.monotonic() - start > PARTS[part]:
            break
        try:
            rows.append(step())
            print(*rows[-1], sep="  ", flush=True)
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{name} ({type(error).__name__})")
    said = [f"{part}: {time.monotonic() - start:.0f} s of {PARTS[part]}"]
    said += [f"failed: {', '.join(failed)}"] if failed else []
    left = names[len(rows) + len(failed) :]
    said += [f"left out: {', '.join(left)}"] if left else []
    return Part(rows, failed, "; ".join(said) + ".")


def peaks(place: torch.device, *, quick: bool) -> dict[str, float]:
    """Return the operations a second of large products of matrices, by precision; float32 in TF32, as convolutions."""
    types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    side, timed = (256, 2) if quick else (8192, 10)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        return {name: peak(place, each, side=side, timed=timed) for name, each in types.items()}
    finally:
        torch.set_float32_matmul_precision(before)


def equality(name: str, place: torch.device) -> list[str]:
    """Return the row of a recipe: how far a round on a device is from that on the CPU."""
    found = apart(name, place)
    return [name, f"{found:.1e}", "yes" if found <= TOLERANCE else "NO"]


EQUAL_HEAD = ["recipe", "largest difference / largest gradient", "equal"]
BESIDE_HEAD = [
    "recipe", "sample", "plain loop, images/s", "float32, images/s", "auto, images/s", "float32", "auto",
    "share of the peak, float32", "share of the peak, auto",
]  # fmt: skip
HEAD = ["recipe", "sample", "precision", "images/s", "GPU memory, GiB", "resumed", "finite"]


def equal_part(options: argparse.Namespace, place: torch.device) -> tuple[Part, list[str]]:
    """Compare a round of every recipe with the CPU's."""
    names = chosen(recipes.names(), options)
    return within("equal", [partial(equality, name, place) for name in names], names), []


def beside_part(options: argparse.Namespace, place: torch.device) -> tuple[Part, list[str]]:
    """Time recipes beside plain loops; the remark says what the device reaches at its best."""
    best = peaks(place, quick=options.quick)
    names = chosen(BESIDE, options)
    one = partial(beside, place=place, quick=options.quick, warm=options.warm, timed=options.timed, peaks=best)
    reached = ", ".join(f"{rate / 1e12:.1f} Tflop/s in {name}" for name, rate in best.items())
    return within("beside", [partial(one, name) for name in names], names), [f"Peak: {reached}."]


def cases_part(options: argparse.Namespace, place: torch.device) -> tuple[Part, list[str]]:
    """Time every recipe at its size, and resume it."""
    cases = small_cases() if options.quick else CASES
    asked = set(chosen([case.recipe for case in cases], options))
    work = [(case, precision) for case in cases if case.recipe in asked for precision in ("float32", "auto")]
    steps = [
        partial(measure, *each, warm=options.warm, timed=options.timed) for each in ((c, place, p) for c, p in work)
    ]
    return within("cases", steps, [f"{case.recipe} ({precision})" for case, precision in work]), []


def chosen(names: Iterable[str], options: argparse.Namespace) -> list[str]:
    """Return the names that --only has, or all."""
    return [name for name in names if options.only is None or name in options.only.split(",")]


WORK = {
    "equal": ("gpu-equal", "A round on a GPU and on the CPU", EQUAL_HEAD, equal_part),
    "beside": ("gpu-beside", "Recipes on a GPU beside plain loops", BESIDE_HEAD, beside_part),
    "cases": ("gpu", "Every recipe on a GPU", HEAD, cases_part),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timed", type=int, default=30, help="rounds that are timed")
    parser.add_argument("--only", help="recipes, by commas")
    parser.add_argument("--parts", default=",".join(PARTS), help="parts, by commas")
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
    asked = options.parts.split(",")
    if unknown := [part for part in asked if part not in PARTS]:
        sys.exit(f"There is no part {', '.join(unknown)}: choose among {', '.join(PARTS)}.")
    options.warm, options.timed = (1, 1) if options.quick else (WARM, options.timed)
    card = torch.cuda.get_device_name(place) if place.type == "cuda" else "a CPU"
    wrong = []
    for part in asked:
        file, title, head, work = WORK[part]
        print(f"{part}: {PARTS[part]} s at most", flush=True)
        found, more = work(options, place)
        how = [] if part == "equal" else [f"{options.timed} rounds after {options.warm}."]
        remarks = [" ".join([f"{card}, torch {torch.__version__}.", *how]), *more, found.said]
        print(table([head, *found.rows]), *remarks, sep="\n\n", flush=True)
        if options.save:
            save(file, title, [head, *found.rows], remarks)
        wrong += [row[0] for row in found.rows if row[-1] == "NO"] + found.failed
    if wrong:
        sys.exit(f"Not equal, not finite, or failed: {', '.join(wrong)}.")


if __name__ == "__main__":
    main()
