"""Bringing a plan, its data and the machine together: a game that is ready to be played."""

from __future__ import annotations

from typing import Any

import torch

from zerosum import recipes
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.kinds import AnyDataset, open_as
from zerosum.recipe import Recipe
from zerosum.run.config import Plan
from zerosum.runtime.device import keep_memory, pick_memory_format, pick_precision
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Progress, counting


def open_data(plan: Plan, world: World, progress: Progress) -> AnyDataset:
    """Open the data, the first process alone at first so that they are packed once."""
    told, kinds = counting(progress), recipes.find(plan.recipe).data
    dataset = open_as(kinds, plan.data, options=plan.options, progress=told) if world.is_first else None
    world.wait()
    return dataset or open_as(kinds, plan.data, options=plan.options)


def seat(plan: Plan, dataset: AnyDataset, device: torch.device, world: World) -> Game[Any]:
    """Build the recipe from the plan's seed and seat it at a game, before its first round.

    Raises:
        InputError: the recipe cannot take the data, or the batch does not divide as asked.
    """
    torch.manual_seed(plan.training.seed)
    recipe = recipes.find(plan.recipe)(plan.config, dataset.spec)
    _require_divisible(plan, recipe, world)
    training = plan.training
    precision = pick_precision(training.precision, device)
    if dataset.spec.is_points and training.precision == "auto":
        precision = torch.float32
    memory_format = pick_memory_format(training.memory_format, device, precision)
    keep_memory()
    if not dataset.spec.is_points:
        recipe = recipe.to(memory_format=memory_format)  # type: ignore[call-overload]
    share = world if recipe.divisible else World()
    source = Stream(dataset, seed=training.seed, rank=share.rank, world=share.size, jitter=recipe.jitter)
    return Game(
        recipe.to(device),
        source,
        world=world,
        precision=precision,
        memory_format=memory_format,
        micro_batches=training.micro_batches,
    )


def _require_divisible(plan: Plan, recipe: Recipe, world: World) -> None:
    training = plan.training
    size = world.size if recipe.divisible else 1
    whole = size * training.micro_batches * recipe.group
    batches = {plan.config.batch, *(phase.batch for phase in recipe.phases() if phase.batch)}
    if uneven := [batch for batch in sorted(batches) if batch % whole]:
        groups = f" of groups of {recipe.group}" if recipe.group > 1 else ""
        raise InputError(
            f"--batch {uneven[0]} does not divide among {world.size} processes of {training.micro_batches} "
            f"micro-batches{groups}: give a multiple of {whole}."
        )
    if training.micro_batches > 1 and not recipe.divisible:
        raise InputError(
            f"--micro-batches is {training.micro_batches}, but {plan.recipe} needs each batch whole: give 1."
        )
