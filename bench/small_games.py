"""What the trainer costs where networks are small: 2-D games through `zerosum train` beside a bare loop, one thread.

    OMP_NUM_THREADS=1 python -m bench.small_games [--passes 9] [--only gan,lsgan] [--clock cpu] [--save]

The bare loop of `bench.plain_loops` trains the recipe's own networks (they are torch's dense layers) with torch's
default optimizers; "tuned" is the same loop with the fused Adam.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

import torch
from torch.optim import Adam

from bench import plain_loops, trained
from bench.race import MEASURED, Contestant, race, ratios, serve
from bench.results import save, table
from zerosum.data.sources import toys
from zerosum.data.spec import Spec
from zerosum.recipes import find
from zerosum.run.config import RunConfig

GAMES = {
    "gan": plain_loops.gan,
    "lsgan": plain_loops.lsgan,
    "r3gan": plain_loops.r3gan,
    "unrolled": plain_loops.unrolled_gan,
    "wgan_gp": plain_loops.wgan_gp,
}
STEPS = {"gan": 100, "lsgan": 60, "r3gan": 40, "unrolled": 10, "wgan_gp": 10}
"""Rounds in a turn."""
KINDS = ("bare", "tuned", "trainer")
LOG_EVERY = 10
"""Rounds between logs: the trainer's default."""
GOAL = 1.1
ABOUT = (
    "The bare loop has the recipe's own networks, torch's own Adam, a running average by a loop over the weights and "
    "`.item()` at each round; the trainer is `zerosum train` with its defaults, reading and logging included, but for "
    "previews and checkpoints. The last column is of the bare loop with the fused Adam, which the trainer has too.",
)


def bare(name: str) -> plain_loops.Step:
    """The loop that one writes around the recipe's networks."""
    config: Any = RunConfig.read("ring8", name, {}).config
    recipe: Any = find(name)(config, Spec(shape=(2,), kind="points"))
    points = torch.from_numpy(toys.points("ring8", "train")[0])
    labels = torch.zeros(config.batch, dtype=torch.int64)
    draw = lambda: (points[torch.randint(len(points), (config.batch,))], labels)  # noqa: E731
    critic = recipe.critic if name == "wgan_gp" else recipe.discriminator
    return GAMES[name](recipe.generator, critic, draw, config)


def contestant(name: str, kind: str, steps: int) -> None:
    """Serve one."""
    if kind == "trainer":
        trained.train("ring8", name, steps=steps, work=steps, log_every=LOG_EVERY)
        return
    if kind == "tuned":
        plain_loops.adam = lambda network, lr, betas: Adam(network.parameters(), lr=lr, betas=betas, fused=True)
    serve(bare(name), work=1, warm_up=20)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the trainer costs where networks are small.")
    parser.add_argument("--passes", type=int, default=9, help="turns of every contestant")
    parser.add_argument("--only", default=",".join(GAMES), help="names of recipes, with commas")
    parser.add_argument("--clock", default="cpu", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/small-games.json too")
    parser.add_argument("--serve", default=None, help="be the contestant of this name")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if options.serve:
        name, kind = options.serve.split("-")
        contestant(name, kind, STEPS[name])
        return
    rows = [["recipe", "batch", "bare loop, ms a round", "trainer, ms a round", "of the bare loop", "of fused Adam's"]]
    remarks = [*ABOUT, MEASURED[options.clock]]
    for name in options.only.split(","):
        command = [sys.executable, "-m", "bench.small_games", "--serve"]
        runners = {
            kind: Contestant(f"{name}-{kind}", [*command, f"{name}-{kind}"], STEPS[name], options.clock)
            for kind in KINDS
        }
        race(list(runners.values()), options.passes)
        times = [f"{1e3 / statistics.median(runners[kind].rates):.2f}" for kind in ("bare", "trainer")]
        costs = {kind: ratios(runners[kind], runners["trainer"]) for kind in ("bare", "tuned")}
        medians = [f"{statistics.median(cost):.2f}" for cost in costs.values()]
        batch = RunConfig.read("ring8", name, {}).config.batch
        rows.append([name, f"{batch}", *times, *medians])
        passes = ", ".join(f"{cost:.2f}" for cost in costs["bare"])
        remarks.append(f"{name}, the trainer's time over the bare loop's (goal at most {GOAL}), by pass: {passes}.")
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("small-games", "What the trainer costs where networks are small: ring8, one thread", rows, remarks)


if __name__ == "__main__":
    main()
