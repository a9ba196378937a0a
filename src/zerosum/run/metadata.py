"""What run.json says of a run, and whether what stands now is still that."""

from __future__ import annotations

import platform
import secrets
from dataclasses import asdict, replace
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

import zerosum
from zerosum import recipes
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.run.config import RunConfig, read_spec
from zerosum.run.directory import Run
from zerosum.runtime import device
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.progress import Progress
from zerosum.runtime.provenance import commit
from zerosum.text import counted, listed

ATTRIBUTES = ("attributes", "attribute_rows", "attribute_shares")


def describe(plan: RunConfig, dataset: Dataset, game: Game[Any], command: str | None) -> dict[str, Any]:
    """Return what run.json says of a run that begins."""
    origin = recipes.origin(plan.recipe_class)
    outside = {} if origin is None else {"recipe_origin": {"place": origin.place, "sha256": origin.sha256}}
    return {
        "id": secrets.token_hex(8),
        "recipe": plan.recipe,
        "task": game.recipe.task.name,
        **outlook(game),
        **outside,
        "config": plan.config.to_json(),
        "training": plan.training.to_json(),
        "data_options": plan.options.located().to_json(),
        "asked": dict(plan.asked),
        "spec": _spec(dataset.spec),
        "data": {
            "source": dataset.source,
            "fingerprint": dataset.fingerprint,
            "count": len(dataset),
            "notes": list(dataset.notes),
        },
        "machine": device.describe() | game.environment(),
        "versions": {**_origin(), "torch": torch.__version__, "python": platform.python_version()},
        "command": command,
    }


def _origin() -> dict[str, str]:
    """Return the version of zerosum, and its commit where that is known."""
    found = commit()
    return {"zerosum": zerosum.__version__} | ({} if found is None else {"commit": found})


def outlook(game: Game[Any]) -> dict[str, Any]:
    """Return what a game says of the run: its rounds in all phases, its objective, and whether it has batch norm."""
    batch_norm = any(isinstance(module, _BatchNorm) for module in game.recipe.modules())
    return {"rounds": game.rounds, "objective": game.recipe.objective, "batch_norm": batch_norm}


def _spec(spec: Spec) -> dict[str, Any]:
    """Return what is known of the data, without what they do not have."""
    known = asdict(spec)
    return {name: value for name, value in known.items() if value is not None and (value or name not in ATTRIBUTES)}


def keep_recipe(plan: RunConfig, directory: Run) -> None:
    """Write the file of a recipe from outside into its run, as recipe.py.

    Raises:
        StorageError: the disk refuses.
    """
    origin = recipes.origin(plan.recipe_class)
    if origin is not None and origin.source is not None:
        with replacing(directory.path / "recipe.py") as partial:
            partial.write_bytes(origin.source)


def require_same_data(directory: Run, dataset: Dataset, progress: Progress, *, moved: bool = False) -> None:
    """See that the data are those that the run began with; say if only their content has changed.

    Args:
        directory: the run.
        dataset: what stands there now.
        progress: who is told.
        moved: whether their place was named again; then their content must be the same.

    Raises:
        InputError: their number, shape or classes are others.
    """
    known, spec = directory.description["data"], read_spec(directory)
    before, now = (  # older runs did not count
        replace(each, class_counts=(), attribute_rows=(), attribute_shares=()) for each in (spec, dataset.spec)
    )
    if known.get("count") != len(dataset) or before != now:
        raise InputError(
            f"The data at {dataset.source} are no longer those of the run: {counted(len(dataset), 'sample')} of shape "
            f"{dataset.spec.shape} and {_labels(dataset.spec)} now, {known.get('count')} of {spec.shape} "
            f"and {_labels(spec)} then; bring them back, or start a new run."
        )
    if moved and known.get("fingerprint") != dataset.fingerprint:
        raise InputError(
            f"The data at {dataset.source} are not those of the run, though as many: name the ones that it began with, "
            "or start a new run."
        )
    if known.get("fingerprint") != dataset.fingerprint:
        progress.note(
            f"The files at {dataset.source} have changed since the run began; it goes on with what is there now."
        )


def _labels(spec: Spec) -> str:
    return counted(len(spec.attributes), "attribute") if spec.attributes else counted(len(spec.classes), "class")


def tell_of_other_conditions(directory: Run, game: Game[Any], progress: Progress) -> None:
    """Say what a resumed run will compute with that is not what it began with: its numbers may differ from here on."""
    here, kept = device.describe(), [directory.description.get(part) for part in ("versions", "machine")]
    began = {name: value for part in kept if isinstance(part, dict) for name, value in part.items()}
    now = game.environment() | _origin() | {"torch": here["torch"]}
    if game.device.type == "cpu":  # whose sums depend on its instructions, and on how many threads share them
        now |= {name: here[name] for name in ("cpu", "threads")}
    for name, value in now.items():
        if began.get(name, value) != value:
            progress.note(f"The run began with {name.replace('_', ' ')} {began[name]} and goes on with {value}.")


def tell_of_other_length(before: RunConfig, plan: RunConfig, game: Game[Any], progress: Progress) -> None:
    """Say how to train a finished run longer, and where another length changes the learning rates of a resumed one."""
    was, now = before.config.rounds, plan.config.rounds
    if game.clock.round == game.rounds:
        played = "The one round is" if game.rounds == 1 else f"All {game.rounds:,} rounds are"
        progress.note(f"{played} played: --rounds {2 * now}, or another number, makes more.")
    scheduled = [name for name, player in game.players.items() if player.has_schedule]
    if now != was and game.clock.round and scheduled:
        progress.note(
            f"The learning rates of {listed(scheduled)} follow the schedule of {counted(now, 'round')} from here on, "
            f"not of {was:,}: what had fallen may rise again, unlike in a run of that length from its start."
        )
