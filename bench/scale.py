"""How much memory and time metrics take on many features: by default 50,000 x 2,048 a side, from files.

    python -m bench.scale [--samples 50000] [--features 2048] [--save]

Each metric runs in a process of its own, on features in two memory-mapped files (0.4 GB each by default).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.metrics import draw
from bench.results import save, table
from zerosum import text
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.moments import moments
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.training.session import peak_memory

STRIP = 4096
Sides = tuple[Tensor, Tensor]


def strips(features: Tensor) -> Iterator[Tensor]:
    """Yield features (N, F) piece by piece."""
    yield from features.split(STRIP)


METRICS: dict[str, Callable[[Sides], object]] = {
    "reading both files": lambda sides: [float(side.sum()) for side in sides],
    "Frechet distance": lambda sides: frechet_distance(*(moments(strips(side)) for side in sides)).value,
    "kernel distance": lambda sides: str(kernel_distance(*sides, seed=0)),
    "precision, recall, density, coverage": lambda sides: str(fidelity_diversity(*sides)),
}


def measure(name: str, folder: Path) -> None:
    """Take one metric, and print how long it took and how much memory was held."""
    real, fake = (torch.from_numpy(np.load(folder / f"{side}.npy", mmap_mode="c")) for side in ("real", "fake"))
    before = time.perf_counter()
    METRICS[name]((real, fake))
    print(json.dumps({"seconds": time.perf_counter() - before, "memory": peak_memory()}))


def write(folder: Path, samples: int, features: int) -> None:
    """Write both sides' features, a part at a time."""
    files = [
        np.lib.format.open_memmap(folder / f"{side}.npy", mode="w+", dtype=np.float32, shape=(samples, features))
        for side in ("real", "fake")
    ]
    for start in range(0, samples, 10_000):
        part = slice(start, min(start + 10_000, samples))
        for file, made in zip(files, draw(part.stop - part.start, features), strict=True):
            file[part] = made + 0.01 * np.random.default_rng(start).standard_normal(made.shape, dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="How much memory and time metrics take on many features.")
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/scale.json too")
    parser.add_argument("--metric", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.metric:
        measure(options.metric, options.folder)
        return
    rows = [["metric", "time", "largest memory held"]]
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), options.samples, options.features)
        size = 2 * 4 * options.samples * options.features
        for metric in METRICS:
            command = [sys.executable, "-m", "bench.scale", "--metric", metric, "--folder", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            rows.append([metric, text.duration(found["seconds"]), text.memory(found["memory"])])
            print(*rows[-1], sep="  ", flush=True)
    remarks = [
        f"{options.samples:,} x {options.features:,} features a side, {text.memory(size)} together in two files "
        "that are mapped into memory; what is read of them counts as held, though the system can take it back."
    ]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("scale", "Metrics on many features", rows, remarks)


if __name__ == "__main__":
    main()
