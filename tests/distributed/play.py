"""Run by `torchrun` in test_two_processes.py: what each of two processes does and finds, as one JSON file a process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from tests.recipes.conftest import SMALL, game, plays_on_points, sides
from zerosum import api
from zerosum.cli import main
from zerosum.data.stream import Stream
from zerosum.errors import DivergedError, InputError
from zerosum.loss import Loss
from zerosum.player import STATISTICS
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World

ROUNDS = 4
STABILISE = "ada:0.01,diff-augment,label-noise,label-flips,lecam,r1,approximate-r1,gradient-penalty,spectral-norm"


def stabilised(world: World) -> dict[str, torch.Tensor]:
    """Play a few rounds with stabilisers that draw, adapt and differentiate, and return the weights."""
    playing = game("gan", (1, 16, 16), batch=16, world=world, stabilise=STABILISE)
    playing.recipe.stabilisers[0].p = 0.5
    return weights(playing)


def rounds(name: str, world: World) -> dict[str, torch.Tensor]:
    """Play a few rounds of a recipe on points and return its weights."""
    playing = game(name, (2,), batch=16, world=world)
    if not playing.recipe.divisible:
        playing.source = Stream(sides("gan", (2,)), seed=0)
    return weights(playing)


def gated(world: World) -> dict[str, torch.Tensor]:
    """Play rounds in which the discriminator rests now and then; return all but batch norm's own statistics."""
    settings = {"gate": 0.5, "discriminator_lr": 1e-2}
    found = weights(game("gan3d", (1, 16, 16, 16), batch=16, world=world, settings=settings))
    return {name: value for name, value in found.items() if not name.endswith((*STATISTICS, "num_batches_tracked"))}


def weights(playing: Any) -> dict[str, torch.Tensor]:
    """Play a few rounds and return the weights."""
    for _ in range(ROUNDS):
        playing.recipe.round(playing)
        playing.end_round()
    return {key: value.clone() for key, value in playing.recipe.state_dict().items()}


def diverge_in_one(world: World) -> str:
    """Let the second process alone meet a loss that is not finite."""
    playing = game("gan", (2,), batch=16, world=world)

    def loss(batch: Any) -> Loss:
        score = playing.recipe.discriminator(batch.real).mean()
        return Loss(adversarial=score * (float("nan") if world.rank == 1 else 1.0))

    try:
        playing.move("discriminator", loss, playing.draw())
    except DivergedError as error:
        return str(error)
    return "nothing was noticed"


def refusal(run: Path) -> str:
    """Ask for a batch that two processes cannot share, and return why it is refused."""
    try:
        api.train("ring8", recipe="gan", batch=15, run=run)
    except InputError as error:
        return str(error)
    return "nothing was refused"


def command(*arguments: str) -> tuple[int, str]:
    """Run a command line and return its exit code and what it said."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(arguments)
    return code, said.getvalue()


def halved(world: World) -> list[float]:
    """Average gradients that travel as bfloat16; return the largest error, relative, and a checksum of the means."""
    values = torch.randn(2, 1001, generator=torch.Generator().manual_seed(0))
    weight = torch.nn.Parameter(torch.zeros(1001))
    weight.grad = values[world.rank].clone()
    replace(world, message=torch.bfloat16).average_gradients([weight])
    error = (weight.grad - values.mean(0)).abs() / values.abs().amax(0)
    return [error.max().item(), weight.grad.double().sum().item()]


def facts(world: World) -> dict[str, Any]:
    """Return what the basic verbs of `World` answer here."""
    weight = torch.nn.Parameter(torch.zeros(3))
    weight.grad = torch.full((3,), float(world.rank))
    idle = torch.nn.Parameter(torch.zeros(2))  # took no part in the loss: an optimizer must leave it alone
    world.average_gradients([weight, idle])
    assert idle.grad is None
    return {
        "mean": world.average_(torch.tensor([float(world.rank), 4.0])).tolist(),
        "any": [world.any(world.rank == 1), world.any(False)],
        "gathered": world.gather(f"from {world.rank}"),
        "gradient": weight.grad.tolist(),
        "halved": halved(world),
    }


def play(out: Path) -> None:
    """Do it all, in an order that both processes share."""
    torch.set_num_threads(1)
    world = distributed.join(torch.device("cpu"))
    found: dict[str, Any] = {"facts": facts(world), "diverged": diverge_in_one(world)}
    for name in SMALL:
        if plays_on_points(name):
            safetensors.torch.save_file(rounds(name, world), out / f"{name}-{world.rank}.safetensors")
    safetensors.torch.save_file(gated(world), out / f"gated-{world.rank}.safetensors")
    safetensors.torch.save_file(stabilised(world), out / f"stabilised-{world.rank}.safetensors")
    found["indivisible"] = refusal(out / "odd")
    found["resumed"] = command("train", "--resume", str(out / "begun"), "--rounds", "4")
    (out / f"found-{world.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    play(Path(sys.argv[1]))
