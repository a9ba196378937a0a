"""What a plan leaves open, settled by its data and the machine before anything is trained."""

from __future__ import annotations

from dataclasses import replace

import torch

from zerosum.data.dataset import Dataset
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.device import pick_device
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Progress, make_progress, progress_callback
from zerosum.runtime.weightless import without_weights
from zerosum.training.budget import within
from zerosum.training.choice import choose, explain
from zerosum.training.fitting import opened_to_fit
from zerosum.training.open_data import open_data


def prepare(
    plan: RunConfig, minutes: float | None, device: torch.device, world: World, progress: Progress
) -> tuple[RunConfig, Dataset, tuple[str, ...]]:
    """Open the data of a plan; return what it becomes with them, and a sentence on each thing that was chosen.

    Args:
        plan: what was asked for.
        minutes: that training may take; None for as many rounds as the plan has.
        device: on which is trained.
        world: the processes that train together.
        progress: told of stages.

    Raises:
        InputError: something given cannot be used.
    """
    reasons: tuple[str, ...] = ()
    if minutes is not None:
        if world.size > 1:
            raise InputError("--minutes measures what one process does: give several of them --rounds.")
        plan, reasons = within(plan, minutes, device, progress_callback(progress))
    plan, dataset, scaled = opened_to_fit(plan, device.type, lambda at: open_data(at, world, progress))
    plan = replace(plan, options=plan.options.as_opened(dataset.spec))
    plan, chosen = choose(plan, dataset, device.type)
    return plan, dataset, (*reasons, *scaled, *chosen)


def explanation(plan: RunConfig, minutes: float | None = None) -> list[str]:
    """Say what would be trained as `plan` says, with which settings and why, without training.

    Raises:
        InputError: something given cannot be used.
    """
    progress = make_progress()
    try:
        device = pick_device(plan.training.device)
        plan, dataset, reasons = prepare(plan, minutes, device, World(), progress)
    finally:
        progress.close()
    with without_weights():
        recipe = build_recipe(plan, dataset.spec)
    return explain(plan, reasons, recipe, device.type)
