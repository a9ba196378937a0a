"""What run.json says of a run, as the signs take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.doctor.evidence import Facts
from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run
from zerosum.run.load import build_recipe
from zerosum.run.training_config import TrainingConfig


def facts_of(run: Run) -> Facts:
    """Return what is known of a run; what run.json lacks, or a recipe from outside would have to say, is left open."""
    about = run.description
    config, training, data, spec = (_table(about, name) for name in ("config", "training", "data", "spec"))
    recipe = _untrained(run)
    flags = {*config, *training} if recipe is None else {*recipe.config.names(), *TrainingConfig.names()}
    notes, shape = data.get("notes"), spec.get("shape")
    return Facts(
        recipe=str(about["recipe"]) if "recipe" in about else None,
        config=config,
        training=training,
        objective=None if recipe is None else recipe.objective,
        flags=frozenset(flags),
        images=_whole(data.get("count")),
        shape=tuple(shape) if isinstance(shape, list) and all(isinstance(side, int) for side in shape) else (),
        rounds=_whole(config.get("rounds")),
        batch_norm=None if recipe is None else any(isinstance(module, _BatchNorm) for module in recipe.modules()),
        notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
        epochs=False,
    )


def _untrained(run: Run) -> Recipe | None:
    """Build the recipe of a run without memory for its weights; None for one from outside or of another version."""
    try:
        plan, spec = read_config(run), read_spec(run)
        with torch.device("meta"):
            return build_recipe(plan, spec)
    except (InputError, RuntimeError, ValueError, ArithmeticError):
        return None


def _table(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = about.get(name)
    return found if isinstance(found, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
