"""The game of a plan: its data, and the recipe on its device before the first round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from zerosum import kinds
from zerosum.data.dataset import Dataset
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.virtual_batch_norm import REFERENCE, has_reference
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime import rng
from zerosum.runtime.device import pick_memory_format, pick_precision
from zerosum.runtime.distributed import World


def build_game(plan: RunConfig, dataset: Dataset, device: torch.device, world: World) -> Game[Any]:
    """Build the recipe from the plan's seed and seat it at a game, before its first round.

    Raises:
        InputError: the recipe cannot take the data, the batch does not divide as asked, or batch norm would get a
            single value of a channel.
    """
    torch.manual_seed(plan.training.seed)
    recipe = build_recipe(plan, dataset.spec)
    require_playable(plan, recipe, world)
    training = plan.training
    kind = kinds.find(dataset.spec.kind)
    precision, memory_format = pick_arithmetic(kind, device, training.precision, training.memory_format)
    recipe = recipe.to(memory_format=memory_format)  # type: ignore[call-overload]
    if training.gradient_messages == "bfloat16" and world.size > 1:
        world = replace(world, message=torch.bfloat16)
    share = world if recipe.divisible else World()
    recipe = recipe.to(device)
    fix_reference(recipe, dataset, seed=training.seed)
    place = {"rank": share.rank, "world": share.size}
    how = {"jitter": recipe.jitter, "prefetch": kind.prefetch, "block": dataset.block}
    source = Stream(dataset, seed=training.seed, **place, **how)
    return Game(
        recipe,
        source,
        world=world,
        precision=precision,
        memory_format=memory_format,
        micro_batches=training.micro_batches,
    )


def pick_arithmetic(
    kind: kinds.Kind, device: torch.device, precision: str = "auto", memory_format: str = "auto"
) -> tuple[torch.dtype, torch.memory_format]:
    """Return the precision and the memory format (channels-last or contiguous) of a game on a kind of sample.

    Raises:
        InputError: an unknown precision or memory format.
    """
    chosen = pick_precision(precision, device)
    if kind.precision == "float32" and precision == "auto":
        chosen = torch.float32
    layout = pick_memory_format(memory_format, device, chosen)
    if layout is torch.channels_last:
        layout = kind.memory_format or torch.contiguous_format
    return chosen, layout


def require_playable(plan: RunConfig, recipe: Recipe, world: World) -> None:
    """Check that batches divide as they have to.

    Raises:
        InputError: one does not among processes and micro-batches, or leaves batch norm a single value of a channel.
    """
    _require_divisible(plan, recipe, world)
    _require_statistics(plan, recipe, world)


def fix_reference(recipe: Recipe, dataset: Dataset, *, seed: int) -> None:
    """Fix the reference of virtual batch norm, where a recipe has it: the same real samples in every process.

    They are drawn without replacement while there are any. Other draws of a run do not depend on it.
    """
    if not has_reference(recipe):
        return
    with rng.fork(recipe.device, seed=rng.derived(seed, "reference")):
        rows = np.resize(torch.randperm(len(dataset)).numpy(), REFERENCE)
        recipe.eval()
        recipe.take_reference(dataset.batch(rows).to(recipe.device))
        recipe.train()


def _require_divisible(plan: RunConfig, recipe: Recipe, world: World) -> None:
    training = plan.training
    size = world.size if recipe.divisible else 1
    whole = size * training.micro_batches * recipe.minibatch_group
    batches = {plan.config.batch, *(phase.batch for phase in recipe.phases() if phase.batch)}
    if uneven := [batch for batch in sorted(batches) if batch % whole]:
        groups = f" of groups of {recipe.minibatch_group}" if recipe.minibatch_group > 1 else ""
        raise InputError(
            f"--batch {uneven[0]} does not divide among {world.size} processes of {training.micro_batches} "
            f"micro-batches{groups}: give a multiple of {whole}."
        )
    if training.micro_batches > 1 and not recipe.divisible:
        who = f"--stabilise {training.stabilise}" if type(recipe).divisible else plan.recipe
        raise InputError(f"--micro-batches is {training.micro_batches}, but {who} needs each batch whole: give 1.")


def _require_statistics(plan: RunConfig, recipe: Recipe, world: World) -> None:
    """Check that batch norm of features, one value a sample, gets 2 samples or more: one alone has no variance."""
    pieces = (world.size if recipe.divisible else 1) * plan.training.micro_batches
    smallest = min([plan.config.batch, *(phase.batch for phase in recipe.phases() if phase.batch)])
    if smallest < 2 * pieces and any(isinstance(module, nn.BatchNorm1d) for module in recipe.modules()):
        cut = f" cut in {pieces}" if pieces > 1 else ""
        raise InputError(
            f"Batch norm needs 2 samples or more at a time, and --batch {smallest}{cut} leaves it 1: "
            f"give --batch {2 * pieces} or more."
        )
