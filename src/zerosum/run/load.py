"""Trained models, loaded from a run."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint import load_model
from zerosum.run.config import change_of_recipe, read_config, read_spec
from zerosum.run.directory import Run, Which
from zerosum.runtime import rng
from zerosum.runtime.device import pick_device


def load(
    run: str | Path,
    *,
    device: str = "auto",
    checkpoint: Which = "newest",
    recipe: RecipeLike | None = None,
) -> Recipe:
    """Return a trained model: the recipe with its averaged weights, ready to `sample`.

    Args:
        run: the run directory.
        device: where to put it: cuda, mps, cpu, or auto.
        checkpoint: which of them: the "newest", or the "best" that evaluations during training chose.
        recipe: for a run of a recipe of your own: its file, package.module:Class or class. A run does not name code.

    Raises:
        InputError: no run, no such checkpoint, or one that is damaged or of another model.
    """
    directory = Run.open(run)
    plan = read_config(directory, recipe)
    if (note := change_of_recipe(directory, plan.recipe_class)) is not None:
        logging.getLogger("zerosum").warning(note)
    with rng.fork(torch.device("cpu")):
        built = plan.recipe_class(plan.config, read_spec(directory))
    load_model(directory.chosen(checkpoint), built)
    return built.to(pick_device(device)).eval().requires_grad_(False)


def recipe_of(run: str | Path, recipe: RecipeLike | None = None) -> type[Recipe]:
    """Return the recipe that a run was trained by; one from outside is given as for `load`.

    Raises:
        InputError: no run there, or of a recipe that this version does not have.
    """
    return read_config(Run.open(run), recipe).recipe_class
