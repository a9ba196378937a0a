"""How long commands take to begin: processor time and memory beside a process that imports torch and no more.

    python -m bench.start [--repeats 5] [--save]

Each command runs in a process of its own, in turn; the median of the repeats is shown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.results import save, table
from zerosum import text

TORCH = "import torch"
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A small process that starts the one to measure, because a child's largest memory begins with its parent's."""

SHORT = ["--batch", "8", "--run"]
COMMANDS = {
    "zerosum --help": [],
    "zerosum train --help": [],
    "zerosum train ring8 --recipe gan --rounds 1": [*SHORT, "points"],
    "zerosum train digits --width 8 --rounds 1": [*SHORT, "RUN"],
    "zerosum sample RUN -n 4": [],
}
"""Commands as they are shown, and the words that each has beside."""


def cost(words: list[str], folder: Path) -> tuple[float, int]:
    """Run Python with words in a folder; return the seconds of processor time and the largest memory held, in bytes."""
    command = [sys.executable, "-c", MEASURE, sys.executable, *words]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    processes = {TORCH: ["-c", TORCH]} | {name: ["-m", *name.split(), *more] for name, more in COMMANDS.items()}
    costs: dict[str, list[tuple[float, int]]] = {name: [] for name in processes}
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, words in processes.items():
                costs[name].append(cost(words, Path(folder)))
    seconds = {name: median(took for took, _ in found) for name, found in costs.items()}
    rows = [["command", "processor time", "beside import torch", "memory"]]
    for name, found in costs.items():
        memory = int(median(held for _, held in found))
        rows.append(
            [f"`{name}`", f"{seconds[name]:.1f} s", f"{seconds[name] / seconds[TORCH]:.2f}", text.memory(memory)]
        )
    remarks = [
        f"Median of {options.repeats} processes, with compiled modules. The trainings draw previews and a report."
    ]
    print(table(rows), *remarks, sep="\n")
    if options.save:
        print(save("start", "How long commands take to begin", rows, remarks))


if __name__ == "__main__":
    main()
