"""Many small images: how fast they are checked and packed, in how much memory, and what reading them costs in training.

    python -m bench.packing [--images 1000000] [--save]

The images (28x28, gray, PNG) are made by rule in one .tar. Each step runs in a process of its own; time is the
processor's, which other work on the machine does not change much, and the largest memory is of that process.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bench.results import save, table
from zerosum import text
from zerosum.training.session import peak_memory

BATCH, BATCHES, ROUNDS = 128, 40, 100


def write(place: Path, count: int) -> None:
    """Write images of a moving blob into a .tar, ten classes of them."""
    y, x = np.mgrid[:28, :28]
    with tarfile.open(place, "w") as archive:
        for index in range(count):
            row, column = index % 23 + 2, index // 23 % 23 + 2
            blob = 255 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (4 + index % 10))
            blob[index // 529 % 28, index // 14_812 % 28] = 255 - index % 7
            Image.fromarray(blob.astype(np.uint8)).save(buffer := io.BytesIO(), "png", compress_level=1)
            member = tarfile.TarInfo(f"{index % 10}/{index:08d}.png")
            member.size = len(buffer.getvalue())
            buffer.seek(0)
            archive.addfile(member, buffer)


def cli(*words: str) -> None:
    """Run a command line here, without its output."""
    from zerosum.cli import main

    with open(os.devnull, "w") as nowhere:
        out, sys.stdout = sys.stdout, nowhere
        try:
            assert main(words) == 0
        finally:
            sys.stdout = out


def draw(data: str, how: str) -> float:
    """Return the processor's seconds of drawing one batch."""
    from zerosum.data.options import DataConfig
    from zerosum.data.stream import Stream
    from zerosum.kinds import open_data

    dataset = open_data(data, options=DataConfig(pack=how))  # type: ignore[arg-type]
    stream = Stream(dataset, seed=0, prefetch=False, block=dataset.block)
    stream.draw(BATCH)
    before = time.process_time()
    for _ in range(BATCHES):
        stream.draw(BATCH)
    return (time.process_time() - before) / BATCHES


def played(data: str, rounds: int) -> None:
    """Train from the pack of pixels for a few rounds."""
    run = tempfile.mkdtemp()
    words = ("--recipe", "dcgan", "--batch", str(BATCH), "--rounds", str(rounds), "--run", f"{run}/run")
    cli("train", data, *words, "--watch-every", "0", "--precision", "float32")


STEPS: dict[str, Callable[[str], object]] = {
    "check": lambda data: cli("data", "check", data),
    "pack, pixels": lambda data: cli("data", "pack", data, "--pack", "pixels"),
    "pack, files": lambda data: cli("data", "pack", data, "--pack", "files"),
    "open a pack that is there": lambda data: cli("data", "pack", data, "--pack", "pixels"),
    "draw from pixels": lambda data: draw(data, "pixels"),
    "draw from files": lambda data: draw(data, "files"),
    "train, 1 round": lambda data: played(data, 1),
    f"train, {1 + ROUNDS} rounds": lambda data: played(data, 1 + ROUNDS),
}


def measure(step: str, data: str) -> None:
    """Take one step, and print what it took."""
    import zerosum.cli.train  # noqa: F401  (so that its import is not counted)

    wall, before = time.perf_counter(), time.process_time()
    found = STEPS[step](data)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - before}
    print(json.dumps(spent | {"memory": peak_memory(), "found": found}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/packing.json too")
    parser.add_argument("--step", default="", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measure(options.step, options.data)
        return
    found: dict[str, dict[str, float]] = {}
    rows = [["step", "processor time", "images/s of one core", "wall time", "largest memory held"]]
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "images.tar"
        write(data, options.images)
        size = data.stat().st_size
        for step in STEPS:
            command = [sys.executable, "-m", "bench.packing", "--step", step, "--data", str(data)]
            environment = os.environ | {"ZEROSUM_CACHE": f"{name}/cache"}
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            found[step] = json.loads(done.stdout.splitlines()[-1])
            each = found[step]
            rate = f"{options.images / each['cpu']:,.0f}" if step.startswith(("check", "pack")) else ""
            rows.append(
                [step, text.duration(each["cpu"]), rate, text.duration(each["wall"]), text.memory(int(each["memory"]))]
            )
            print(*rows[-1], sep="  ", flush=True)
    one, many = (found[step]["cpu"] for step in list(STEPS)[-2:])
    shares = {how: found[f"draw from {how}"]["found"] / max((many - one) / ROUNDS, 1e-9) for how in ("pixels", "files")}
    remarks = [
        f"{options.images:,} images in {text.memory(size)}. A batch of {BATCH} takes {shares['pixels']:.2%} of the "
        f"processor time of a round of dcgan at 28x28 from a pack of pixels, {shares['files']:.2%} from one of files.",
    ]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("packing", "Many small images", rows, remarks)


if __name__ == "__main__":
    main()
