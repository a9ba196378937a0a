"""Trained models, loaded from a run."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from zerosum import kinds, recipes, stabilisers
from zerosum.data.jitter import Jitter
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.layers.at_use import allow_kernels_of_use
from zerosum.layers.virtual_batch_norm import copy_reference
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint import fill
from zerosum.run.checkpoint_files import Checkpoint, read_chosen
from zerosum.run.config import RunConfig, change_of_recipe, read_config, read_spec
from zerosum.run.directory import Run, Which
from zerosum.runtime import rng
from zerosum.runtime.device import pick_device
from zerosum.runtime.surroundings import own_settings
from zerosum.text import listed


def build_recipe(config: RunConfig, spec: Spec) -> Recipe:
    """Build the recipe that a run asks for, with fresh weights on the CPU, and prepare its stabilisers.

    Raises:
        InputError: the recipe cannot take the data, or a stabiliser cannot be applied to it.
    """
    if spec.attributes and not config.recipe_class.takes_attributes:
        raise InputError(_without_attributes(config, spec))
    recipe = config.recipe_class(config.config, spec)
    kind = kinds.find(spec.kind)
    if not kind.jitters and recipe.jitter != Jitter():
        flags = "--enlarge, --mirror and --rotate"
        raise InputError(f"{flags} vary images, and these data are {kind.unit}: leave them out.")
    stabilisers.apply(recipe, *stabilisers.parse(config.training.stabilise))
    return recipe


def _without_attributes(config: RunConfig, spec: Spec) -> str:
    """Say what a recipe takes in place of attributes, and which recipes take them."""
    able = [name for name in recipes.names() if recipes.find(name).takes_attributes]
    others = f", or choose {' or '.join(f'--recipe {name}' for name in able)}" if able else ""
    return (
        f"{config.recipe} takes no labels of several attributes ({listed(spec.attributes)}): give --labels none, or "
        f"one column of classes{others}."
    )


def rebuild(recipe: Recipe) -> Recipe:
    """Build a recipe as another one was built, with fresh weights on its device and the same reference batches."""
    fresh = type(recipe)(recipe.config, recipe.spec)
    stabilisers.apply(fresh, *(type(stabiliser)(stabiliser.value) for stabiliser in recipe.stabilisers))
    fresh = fresh.to(recipe.device)
    copy_reference(recipe, fresh)
    return fresh


def load(
    run: str | Path | Run,
    *,
    device: str = "auto",
    checkpoint: Which = "newest",
    recipe: RecipeLike | None = None,
) -> Recipe:
    """Return a trained model: the recipe with its averaged weights, ready to `sample`.

    Args:
        run: the run directory.
        device: where to put it: cuda, mps, cpu, or auto.
        checkpoint: which of them: the "newest", the "best" that evaluations during training chose, or that of a round.
        recipe: for a run of a recipe of your own: its file, package.module:Class or class. A run does not name code.

    Raises:
        InputError: no run, no such checkpoint, or one that is damaged or of another model.
    """
    directory = Run.open(run)
    plan = read_config(directory, recipe)
    return load_recipe(directory, plan, device=pick_device(device), checkpoint=checkpoint)


@own_settings()
def load_recipe(
    directory: Run, plan: RunConfig, *, device: torch.device, checkpoint: Which | Checkpoint = "newest"
) -> Recipe:
    """Return the trained model of an open run, whose config is at hand, as `load` does.

    Raises:
        InputError: no such checkpoint, or one that is damaged or of another model.
    """
    if (note := change_of_recipe(directory, plan.recipe_class)) is not None:
        logging.getLogger("zerosum").warning(note)
    with rng.fork(torch.device("cpu")):
        recipe = build_recipe(plan, read_spec(directory))
    fill(recipe, checkpoint if isinstance(checkpoint, Checkpoint) else read_chosen(directory, checkpoint))
    allow_kernels_of_use(recipe)
    return recipe.to(device).eval().requires_grad_(False)


def load_with_round(
    directory: Run, plan: RunConfig, *, device: torch.device, checkpoint: Which = "newest"
) -> tuple[Recipe, int]:
    """Return the trained model of an open run, and the round of the same checkpoint, though the run may go on.

    Raises:
        InputError: as `load_recipe`.
    """
    found = read_chosen(directory, checkpoint)
    return load_recipe(directory, plan, device=device, checkpoint=found), found.round


def recipe_of(run: str | Path | Run, recipe: RecipeLike | None = None) -> type[Recipe]:
    """Return the recipe that a run was trained by; one from outside is given as for `load`.

    Raises:
        InputError: no run there, or of a recipe that this version does not have.
    """
    return read_config(Run.open(run), recipe).recipe_class
