"""What regularisation costs: the shares of a round that R1, path lengths and ADA take, in StyleGAN2 at 3x32x32.

    OMP_NUM_THREADS=1 python -m bench.costs [--passes 5] [--clock cpu] [--save]

Each is the recipe with the CPU's defaults at its game, with one thing added to a round without R1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

import torch

from bench.race import MEASURED, Contestant, race, ratios, serve
from bench.results import save, table
from bench.translators import Made, Step, rounds
from zerosum import stabilisers
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.recipes import find
from zerosum.runtime import device
from zerosum.stabilisers.ada import Ada

SIDE, TURN = 32, 16
"""Pixels on a side, and rounds in a turn: as many as lazy R1 has one move in."""
P = 0.5
"""Probability of ADA's transformations, which is held here; at 0, where a run begins, they cost nothing."""

ADDED: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("nothing", {}),
    "lazy_r1": ("R1 in every 16th round (default)", {"gamma": 0.1, "r1_every": 16}),
    "r1": ("R1 in each round", {"gamma": 0.1, "r1_every": 1}),
    "lazy_path": ("path lengths in every 4th round", {"path_length": 2.0, "path_every": 4}),
    "path": ("path lengths in each round", {"path_length": 2.0, "path_every": 1}),
    "ada": (f"ADA with a probability of {P}", {}),
}


def played(name: str) -> Step:
    """The game with what the name says."""
    device.keep_freed_memory()
    kind = find("stylegan2")
    config: Any = kind.Config.read({"preset": "small", "gamma": 0.0} | ADDED[name][1])
    recipe = kind(config, Spec(shape=(3, SIDE, SIDE)))
    if name == "ada":
        ada = Ada(images=10**12)
        ada.p = P
        stabilisers.apply(recipe, ada)
    recipe = recipe.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    precision = device.pick_precision("auto", torch.device("cpu"))
    game = Game(recipe, Made(Images, SIDE, 1), precision=precision, memory_format=torch.channels_last)
    return rounds(game)


def main() -> None:
    parser = argparse.ArgumentParser(description="What regularisation costs in StyleGAN2.")
    parser.add_argument("--passes", type=int, default=5, help="turns of every contestant")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/costs.json too")
    parser.add_argument("--serve", default=None, help="be the contestant of this name")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.serve:
        serve(played(options.serve), work=1, warm_up=4)
        return
    command = [sys.executable, "-m", "bench.costs", "--serve"]
    runners = {name: Contestant(name, [*command, name], TURN, options.clock) for name in ADDED}
    race(list(runners.values()), options.passes)
    rows = [["added to a round", "ms a round", "times a round without", "share of a round", "by pass"]]
    for name, (said, _) in ADDED.items():
        times = ratios(runners["none"], runners[name])
        cost = statistics.median(times)
        passes = ", ".join(f"{time:.2f}" for time in times)
        spent = 1e3 / statistics.median(runners[name].rates)
        rows.append([said, f"{spent:.0f}", f"{cost:.2f}", f"{1 - 1 / cost:.0%}", passes])
    precision = str(device.pick_precision("auto", torch.device("cpu"))).removeprefix("torch.")
    setting = f"StyleGAN2 with the CPU's defaults at 3x{SIDE}x{SIDE}, batch 32, in {precision}; {TURN} rounds a turn."
    remarks = [setting, MEASURED[options.clock]]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("costs", "What R1, path lengths and ADA cost in a StyleGAN2 round", rows, remarks)


if __name__ == "__main__":
    main()
