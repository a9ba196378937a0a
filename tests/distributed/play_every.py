"""Run by `torchrun` in test_every_recipe.py: a few rounds of every recipe, whose weights each process writes."""

from __future__ import annotations

import sys
from pathlib import Path

import safetensors.torch
import torch

from tests.distributed.play import weights
from tests.recipes.conftest import SMALL, game, shape_of, sides
from zerosum.data.stream import Stream
from zerosum.player import STATISTICS
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World

BATCH = 16


def rounds(name: str, world: World) -> tuple[dict[str, torch.Tensor], bool]:
    """Play a few rounds of a recipe, as training sets it up.

    Returns:
        The weights without the statistics of batch norm, and whether they are those of one process: they are unless
        batch norm goes by a share of the batch.
    """
    playing = game(name, shape_of(name), batch=BATCH, world=world)
    divisible = playing.recipe.divisible
    if not divisible:
        playing.source = Stream(sides(name, shape_of(name)), seed=0)
    found = weights(playing)
    plain = {key: value for key, value in found.items() if not key.endswith((*STATISTICS, "num_batches_tracked"))}
    return plain, not divisible or len(plain) == len(found)


def play(out: Path) -> None:
    """Play all recipes, in an order that all processes share."""
    torch.set_num_threads(1)
    world = distributed.join(torch.device("cpu"))
    for name in SMALL:
        safetensors.torch.save_file(rounds(name, world)[0], out / f"{name}-{world.rank}.safetensors")


if __name__ == "__main__":
    play(Path(sys.argv[1]))
