"""What is known about a run: its run.json, and what its recipe adds to it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.doctor.evidence import Facts
from zerosum.doctor.facts import facts_of
from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run
from zerosum.run.load import build_recipe
from zerosum.run.training_config import TrainingConfig


def facts_of_run(run: Run) -> Facts:
    """Return what is known of a run; of one by a recipe from outside, what run.json says alone."""
    facts = facts_of(run.description)
    recipe = _untrained(run)
    if recipe is None:
        return facts
    return replace(
        facts,
        objective=recipe.objective,
        batch_norm=any(isinstance(module, _BatchNorm) for module in recipe.modules()),
        flags=frozenset({*recipe.config.names(), *TrainingConfig.names()}),
    )


def _untrained(run: Run) -> Recipe | None:
    """Build the recipe of a run without memory for its weights; None for one from outside or of another version."""
    try:
        plan, spec = read_config(run), read_spec(run)
        with torch.device("meta"):
            return build_recipe(plan, spec)
    except (InputError, RuntimeError, ValueError, ArithmeticError):
        return None
