"""How much memory training takes: on data larger than the machine's memory, and in the demo.

    python -m bench.memory [--rounds 20]

Writes docs/benchmarks/memory.json and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.results import save
from zerosum import text
from zerosum.run.directory import Run

DEMO = ["digits", "--width", "32", "--batch", "64"]


def peak(arguments: list[str], folder: Path) -> int:
    """Train in a process of its own; return the largest memory that it held, in bytes."""
    run = folder / f"run-{len(list(folder.iterdir()))}"
    command = [sys.executable, "-m", "zerosum", "train", *arguments, "--run", str(run)]
    subprocess.run(command, check=True, capture_output=True)
    return max(row["peak_rss_bytes"] for row in Run(run).history())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = ["--rounds", str(parser.parse_args().rounds)]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    small = ["--recipe", "dcgan", "--width", "16", "--batch", "64", *rounds]
    rows = [["data", "size of the data", "largest memory held"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in (10**8, 2 * memory):
            count = size // 64**2
            path = folder / "images.npy"
            np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, 64, 64))  # a sparse file
            rows.append(
                [
                    f"{count:,} images 64x64",
                    text.memory(count * 64**2),
                    text.memory(peak([str(path), *small], folder)),
                ]
            )
        rows.append(["`make demo` (digits 32x32, width 32)", "2 MB", text.memory(peak([*DEMO, *rounds], folder))])
    remarks = [f"This machine has {text.memory(memory)}. The large file is sparse: all pages exist, and hold zeros."]
    save("memory", "Memory", rows, remarks)


if __name__ == "__main__":
    main()
