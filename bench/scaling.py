"""Weak scaling: two processes on two cores, each with a whole batch, beside one process on one core.

    python -m bench.scaling [--recipes dcgan wgan_gp r3gan] [--rounds 60] [--repeats 3] [--save]

Each training is a program of its own (`torchrun` for two), bound to its cores, with one thread a process. Its rate is
that of its history without the first third. One process, two, and two trainings that know nothing of each other take
turns, and the best of each counts, because other work on the machine can only slow them. 2 is perfect, and what two
trainings apart reach is what the cores of the machine leave each other.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.results import save, table
from zerosum.run.directory import Run

GAMES = {
    "dcgan": ("--width", "32"),
    "wgan_gp": ("--width", "32"),
    "r3gan": ("--preset", "small"),
}
SIDE, IMAGES, BATCH = 32, 2_000, 64


def rate(data: Path, recipe: str, processes: int, rounds: int, place: Path, *, apart: bool = False) -> float:
    """Train and return images a second of all processes together: those of one game, or of games apart."""
    cores = sorted(os.sched_getaffinity(0))[:processes]
    if apart:
        started = [start(data, recipe, [core], rounds, place / str(core)) for core in cores]
    else:
        started = [start(data, recipe, cores, rounds, place)]
    return sum(finish(*each) for each in started)


def start(data: Path, recipe: str, cores: list[int], rounds: int, run: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a training of a process a core."""
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(len(cores))]
    program = [sys.executable, *(several if len(cores) > 1 else []), "-m", "zerosum", "--"]
    words = ["train", str(data), "--recipe", recipe, *GAMES[recipe], "--batch", str(BATCH * len(cores))]
    words += ["--rounds", str(rounds), "--log-every", "5", "--watch-every", "0", "--precision", "float32"]
    bound = ["taskset", "-c", ",".join(map(str, cores)), *program, *words, "--run", str(run)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    begun = subprocess.Popen(bound, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return begun, run


def finish(training: subprocess.Popen[str], run: Path) -> float:
    """Wait for a training and return its images a second."""
    said = training.communicate()[1]
    if training.returncode:
        raise SystemExit(said)
    rates = Run.open(run).history().series("images_per_second")[1]
    return float(np.median(rates[len(rates) // 3 :]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=list(GAMES), choices=list(GAMES))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/scaling.json too")
    options = parser.parse_args()
    shown = [["recipe", "one process, images/s", "two processes, images/s", "ratio", "two apart, ratio"]]
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "noise.npy"
        np.save(data, np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8))
        for recipe in options.recipes:
            best = [0.0, 0.0, 0.0]
            for repeat in range(options.repeats):
                for place, (processes, apart) in enumerate(((1, False), (2, False), (2, True))):
                    folder = Path(name) / f"{recipe}-{place}-{repeat}"
                    reached = rate(data, recipe, processes, options.rounds, folder, apart=apart)
                    best[place] = max(best[place], reached)
            ratios = [f"{each / best[0]:.2f}" for each in best[1:]]
            shown.append([recipe, f"{best[0]:,.0f}", f"{best[1]:,.0f}", *ratios])
            print(*shown[-1], sep="  ", flush=True)
    remarks = [
        f"{SIDE}x{SIDE} images, {BATCH} a process, one thread a process, gloo; the best of {options.repeats} turns of "
        f"{options.rounds} rounds each. 2 is perfect; the goal is 1.8."
    ]
    print(table(shown), *remarks, sep="\n\n")
    if options.save:
        print(save("scaling", "Two processes beside one", shown, remarks))


if __name__ == "__main__":
    main()
