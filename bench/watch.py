"""What looks cost: rounds with a look every 100, and without, in turn on one thread.

    python -m bench.watch

Writes docs/benchmarks/watch.json and docs/benchmarks.md. Passes of rounds without any watching alternate with single
looks at the same game. Times are those of the playing thread on its processor, because wall clocks of a shared machine
measure the others. The share is the median time of a look (the watched round's extra time, and the measures after it),
divided by 100 times the median time of a round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import torch

from bench.results import save
from zerosum.doctor.watch import Watch
from zerosum.run.config import RunConfig
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Silent
from zerosum.training.build import build_game
from zerosum.training.choice import choose
from zerosum.training.open_data import open_data

CASES: Mapping[str, tuple[str, str, Mapping[str, Any], int]] = {
    "gan on ring8": ("ring8", "gan", {}, 40),
    "dcgan, 32x32": ("digits", "dcgan", {"size": "32"}, 3),
    "cgan small, 32x32": ("digits", "cgan", {"size": "32"}, 3),
}
EVERY, PASSES = 100, 15
HEADER = ["game", "a round", "a look", f"share at --watch-every {EVERY}"]


def row(title: str) -> list[str]:
    """Time rounds and looks of one game in turn."""
    data, recipe, settings, rounds = CASES[title]
    plan = RunConfig.read(data, recipe, {"device": "cpu", **settings})
    dataset = open_data(plan, World(), Silent())
    plan, _ = choose(plan, dataset, "cpu")
    game = build_game(plan, dataset, torch.device("cpu"), World())
    watch = Watch(game, dataset, every=1, seed=0)
    game.begin_phase(0, game.recipe.phases()[0])
    _play(game, rounds)
    with watch.observing():
        _play(game, 1)
    watch.look()  # which gathers the real samples that later looks are compared with
    plain, looks = [], []
    for _ in range(PASSES):
        plain.append(_play(game, rounds) / rounds)
        began = time.thread_time()
        with watch.observing():
            _play(game, 1)
        watch.look()
        looks.append(time.thread_time() - began - plain[-1])
    game.source.close()
    a_round, a_look = statistics.median(plain), statistics.median(looks)
    return [title, f"{1000 * a_round:.2f} ms", f"{1000 * a_look:.2f} ms", f"{a_look / EVERY / a_round:.2%}"]


def _play(game: Any, rounds: int) -> float:
    began = time.thread_time()
    for _ in range(rounds):
        game.recipe.round(game)
        game.end_round()
    return time.thread_time() - began


def main() -> None:
    torch.set_num_threads(1)
    remarks = [
        "Processor time of one thread, medians of passes in turn; a look is the extra time of the round it watches, "
        "and that of the measures after it.",
        "Diagnoses of the history after looks are bounded apart: they take at most 1 % of the time, and 0.1 s.",
    ]
    save("watch", "What watching costs", [HEADER, *map(row, CASES)], remarks)


if __name__ == "__main__":
    main()
