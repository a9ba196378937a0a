"""Many images: how fast they are checked and packed, in how much memory, and what reading them costs in training.

    python -m bench.packing [--images 1000000] [--gigabytes 20] [--photos 4000] [--save]
    python -m bench.packing --data tar,folder --steps check,pack --keep FOLDER --save some

The small images (28x28, gray, PNG) are made by rule in one .tar, and in a folder of as many files. The photographs are
JPEGs of 512x512 in one .tar. The large ones are BMPs of 20 MB in one .tar that is sparse on the disk: little else than
its size is large. Each step runs in a process of its own; time is the processor's, which other work on the machine does
not change much, and the largest memory is of that process. With --save, the result is written after each step.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.many_images import KINDS, LARGE, write
from bench.results import save, table
from zerosum import text
from zerosum.doctor.measures import DATA_WAIT
from zerosum.training.session import peak_memory

BATCH, BATCHES, ROUNDS = 128, 40, 100


def cli(*words: str) -> None:
    """Run a command line here, without its output."""
    from zerosum.cli import main

    with open(os.devnull, "w") as nowhere:
        out, sys.stdout = sys.stdout, nowhere
        try:
            assert main(words) == 0
        finally:
            sys.stdout = out


def draw(data: str, how: str, size: str | None = None) -> float:
    """Return the processor's seconds of drawing one batch."""
    from zerosum.data.options import DataConfig
    from zerosum.data.stream import Stream
    from zerosum.kinds import open_data

    dataset = open_data(data, options=DataConfig(pack=how, size=size))  # type: ignore[arg-type]
    stream = Stream(dataset, seed=0, prefetch=False, block=dataset.block)
    stream.draw(BATCH)
    before = time.process_time()
    for _ in range(BATCHES):
        stream.draw(BATCH)
    return (time.process_time() - before) / BATCHES


def pack(*more: str) -> Callable[[str], None]:
    """Return the step that packs data ahead of training."""
    return lambda data: cli("data", "pack", data, *more)


def train(rounds: int, *more: str, recipe: str | None = "dcgan") -> Callable[[str], float | None]:
    """Return the step that trains for a few rounds from the pack, and finds the share of the time that they waited."""

    def step(data: str) -> float | None:
        named = () if recipe is None else ("--recipe", recipe)
        with tempfile.TemporaryDirectory() as run:
            words = ("--batch", str(BATCH), "--rounds", str(rounds), "--run", f"{run}/run", "--log-every", "5")
            cli("train", data, *named, *words, "--precision", "float32", *more)
            rows = [json.loads(line) for line in Path(run, "run", "history.jsonl").read_text().splitlines()]
        # The first rounds wait for the first batch, which nothing has asked for ahead.
        spans = [after["seconds"] - before["seconds"] for before, after in pairwise(rows)]
        waited = sum(row[DATA_WAIT] * span for row, span in zip(rows[1:], spans, strict=True))
        return waited / sum(spans) if sum(spans) else None

    return step


PIXELS, ENCODED, SMALLER = ("--pack", "pixels"), ("--pack", "files"), ("--size", "32")
PHOTO_SIDE, PHOTO_ROUNDS = "64", 10
PHOTOS = ("--size", PHOTO_SIDE, *ENCODED)
STEPS: dict[str, tuple[str, Callable[[str], object]]] = {
    "check": ("tar", lambda data: cli("data", "check", data)),
    "pack, pixels": ("tar", pack(*PIXELS)),
    "pack, files": ("tar", pack(*ENCODED)),
    "open a pack that is there": ("tar", pack(*PIXELS)),
    "open a pack of files that is there": ("tar", pack(*ENCODED)),
    "draw from pixels": ("tar", lambda data: draw(data, "pixels")),
    "draw from files": ("tar", lambda data: draw(data, "files")),
    "start and train, 1 round, from files": ("tar", train(1, *ENCODED)),
    f"start and train, {1 + ROUNDS} rounds, from files": ("tar", train(1 + ROUNDS, *ENCODED)),
    "start and train, 1 round": ("tar", train(1, *PIXELS)),
    f"start and train, {1 + ROUNDS} rounds": ("tar", train(1 + ROUNDS, *PIXELS)),
    "photographs: pack, files": ("photos", pack(*PHOTOS)),
    "photographs: draw from files": ("photos", lambda data: draw(data, "files", PHOTO_SIDE)),
    "photographs: start and train, 1 round, from files": ("photos", train(1, *PHOTOS)),
    f"photographs: start and train, {1 + PHOTO_ROUNDS} rounds, from files": (
        "photos",
        train(1 + PHOTO_ROUNDS, *PHOTOS),
    ),
    "large images: pack": ("large", pack(*SMALLER)),
    "large images: start and train, 1 round": ("large", train(1, *SMALLER)),
    "a folder: pack": ("folder", pack()),
    "a folder: start and train, 1 round": ("folder", train(1)),
    "a folder: start without a recipe and train, 1 round": ("folder", train(1, recipe=None)),
    "a folder: the same once more": ("folder", train(1, recipe=None)),
}


SHARES: tuple[tuple[Any, ...], ...] = (
    ("28x28 from a pack of pixels", *list(STEPS)[5:6], *list(STEPS)[9:11], ROUNDS),
    ("28x28 from a pack of files", *list(STEPS)[6:9], ROUNDS),
    ("Photographs as 64x64 from a pack of files", *list(STEPS)[12:15], PHOTO_ROUNDS),
)
"""Of what, and the steps that say it: drawing, one round, and that many more."""


def titled(what: str) -> tuple[str, str]:
    """Return the name and the title of what is saved, of all steps or of some."""
    return (f"packing-{what}", f"Many images: {what}") if what else ("packing", "Many images")


def measure(step: str, data: str) -> None:
    """Take one step, and print what it took."""
    import zerosum.cli.train  # noqa: F401  (so that its import is not counted)

    wall, before = time.perf_counter(), time.process_time()
    found = STEPS[step][1](data)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - before}
    print(json.dumps(spent | {"memory": peak_memory(), "found": found}))


def remarks(found: dict[str, dict[str, float]], images: int, sizes: dict[str, int]) -> list[str]:
    """Say what was measured so far."""
    said = [f"{images:,} small images in {text.memory(sizes['tar'])}."] if "tar" in sizes else []
    said += [f"{images:,} files in the folder."] if "folder" in sizes else []
    said += [f"Photographs in {text.memory(sizes['photos'])}."] if "photos" in sizes else []
    if "large" in sizes:
        each = LARGE[0] * LARGE[1] * 3
        said.append(f"{sizes['large'] // each:,} large ones of {LARGE[1]}x{LARGE[0]} in {text.memory(sizes['large'])}.")
    for what, drawn, one, many, rounds in SHARES:
        if {drawn, one, many} <= found.keys():
            share = found[drawn]["found"] / ((found[many]["cpu"] - found[one]["cpu"]) / rounds)
            said.append(
                f"{what}: drawing a batch of {BATCH} takes {share:.2%} of the processor time of a round of dcgan, and "
                f"rounds wait {found[many]['found']:.2%} of their time for it (goal: at most 1% from packs)."
            )
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--gigabytes", type=float, default=20, help="of large images")
    parser.add_argument("--photos", type=int, default=4000)
    parser.add_argument("--data", default="tar,photos,large,folder", help="what to measure, with commas between")
    parser.add_argument("--steps", default="", help="words of which the name of a step has one, with commas between")
    parser.add_argument("--keep", help="a folder in which data and cache stay for the next command")
    parser.add_argument(
        "--save", nargs="?", const="", help="write docs/benchmarks/packing.json too, or packing-SAVE.json"
    )
    parser.add_argument("--step", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measure(options.step, options.data)
        return
    found: dict[str, dict[str, float]] = {}
    sizes: dict[str, int] = {}
    rows = [["step", "processor time", "images/s of one core", "wall time", "largest memory held"]]
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as name:
        Path(name).mkdir(parents=True, exist_ok=True)
        places = {kind: Path(name) / end for kind, end in KINDS.items()}
        for step, (kind, _) in STEPS.items():
            if kind not in options.data.split(",") or not any(word in step for word in options.steps.split(",")):
                continue
            if not places[kind].exists():
                write(kind, places[kind], options)
            sizes[kind] = places[kind].stat().st_size
            command = [sys.executable, "-m", "bench.packing", "--step", step, "--data", str(places[kind])]
            environment = os.environ | {"ZEROSUM_CACHE": f"{name}/cache"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                sys.exit(f"{step}: {done.stderr}")
            found[step] = each = json.loads(done.stdout.splitlines()[-1])
            small = kind in ("tar", "folder") and ("pack" in step or step == "check") and not step.startswith("open")
            rate = f"{options.images / each['cpu']:,.0f}" if small else ""
            rows.append(
                [step, text.duration(each["cpu"]), rate, text.duration(each["wall"]), text.memory(int(each["memory"]))]
            )
            print(*rows[-1], sep="  ", flush=True)
            if options.save is not None:
                save(*titled(options.save), rows, remarks(found, options.images, sizes))
    print(table(rows), *remarks(found, options.images, sizes), sep="\n\n")


if __name__ == "__main__":
    main()
