"""One trial of the mode-collapse benchmark: a variant of a recipe, a data set and a seed, in a run directory."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from zerosum.benchmarks.mode_collapse.protocols import Protocol
from zerosum.config import AUTO, flag
from zerosum.errors import DivergedError, InputError
from zerosum.inference.generate import generate
from zerosum.metrics.modes import ModeCount
from zerosum.run.config import RunConfig, read_config
from zerosum.run.directory import Run
from zerosum.run.load import load
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.progress import Progress
from zerosum.training import launch

RESULT = "modes.json"
CHUNK = 500
"""Samples generated at once."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A recipe, and the settings by which it departs from a protocol's."""

    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    stabilise: str | None = None
    """Stabilisers that are added, as `zerosum train --stabilise` takes them."""

    @property
    def name(self) -> str:
        """What it is called in tables.

        >>> Variant(recipe="unrolled", settings={"steps": 10}).name
        'unrolled steps=10'
        """
        added = {} if self.stabilise is None else {"stabilise": self.stabilise}
        settings = {**self.settings, **added}
        return " ".join([self.recipe, *(f"{name}={_said(value)}" for name, value in settings.items())])

    @property
    def folder(self) -> str:
        """What its folder is called."""
        return re.sub(r"[^A-Za-z0-9_.]+", "-", self.name)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One run and its count."""

    protocol: Protocol
    variant: Variant
    seed: int
    path: Path
    plan: RunConfig

    @property
    def title(self) -> str:
        """What it is called while it runs."""
        return f"{self.protocol.data}, {self.variant.name}, seed {self.seed}"

    @property
    def result(self) -> dict[str, Any] | None:
        """What was counted, once it was."""
        path = self.path / RESULT
        try:
            return json.loads(path.read_text()) if path.exists() else None
        except (OSError, ValueError):
            raise InputError(f"{path} cannot be read: delete it to have the run counted again.") from None


def trial(
    protocol: Protocol,
    variant: Variant,
    seed: int,
    *,
    out: Path,
    rounds: int | None,
    size: str | None,
    device: str,
) -> Experiment:
    """Lay out a trial; nothing is written yet.

    Raises:
        InputError: No such recipe or setting, one that makes nothing from nothing, or other settings than those of the
            run that is there already.
    """
    asked = {"rounds": rounds} if rounds is not None else {}
    config = protocol.config(variant.recipe, asked | dict(variant.settings))
    pace = {
        "save_every": max(200, config.rounds // 10),
        "preview_every": config.rounds,
        "log_every": max(10, config.rounds // 200),
        "keep": 1,
    }
    settings = {"seed": seed, "labels": "none", "size": size, "device": device, "stabilise": variant.stabilise, **pace}
    plan = RunConfig.read(protocol.source, variant.recipe, config.to_json() | settings)
    path = out / f"{protocol.data}-{protocol.name}" / variant.folder / f"seed-{seed}"
    if (path / "run.json").exists():
        _require_same(Run.open(path), plan)
    return Experiment(protocol=protocol, variant=variant, seed=seed, path=path, plan=plan)


def play(trial: Experiment, progress: Progress) -> bool:
    """Train a trial's run, or go on with it; return whether it has come to its end, be it by diverging.

    Raises:
        InputError: The recipe cannot take the data.
        StorageError: The disk refuses.
    """
    run = Run(trial.path)
    if (trial.path / "run.json").exists() and not run.checkpoints():
        shutil.rmtree(trial.path)  # stopped before its first checkpoint: there is nothing to go on from
    try:
        if not run.checkpoints():
            launch.start(trial.plan, run=trial.path, progress=progress)
        elif not _ended(trial):
            launch.resume(
                trial.path, recipe=trial.plan.recipe_class, progress=progress, device=trial.plan.training.device
            )
    except DivergedError as error:
        _keep(trial, {"diverged": str(error)})
        return True
    return bool(run.checkpoints()) and _ended(trial)


def count(trial: Experiment, counting: Callable[[Tensor], ModeCount]) -> None:
    """Count the modes of a finished run's samples, and keep the result in the run."""
    recipe = load(trial.path, recipe=trial.plan.recipe_class, device=trial.plan.training.device)
    found = counting(generate(recipe, trial.protocol.samples, trial.seed, chunk=CHUNK))
    divergence = found.divergence if math.isfinite(found.divergence) else None
    _keep(
        trial,
        {
            "modes": found.found,
            "high_quality": found.high_quality,
            "divergence": divergence,
            "histogram": found.histogram.tolist(),
            "seconds": Run(trial.path).history().last("seconds"),
        },
    )


def _keep(trial: Experiment, result: Mapping[str, Any]) -> None:
    protocol = trial.protocol
    about = {
        "protocol": protocol.name,
        "data": protocol.data,
        "variant": trial.variant.name,
        "seed": trial.seed,
        "rounds": trial.plan.config.rounds,
        "samples": protocol.samples,
    }
    with replacing(trial.path / RESULT) as partial:
        partial.write_text(json.dumps(about | dict(result)) + "\n", encoding="utf-8")


def _ended(trial: Experiment) -> bool:
    run = Run(trial.path)
    recipe = load(trial.path, recipe=trial.plan.recipe_class, device="cpu")
    return int(run.latest().name) >= sum(phase.rounds for phase in recipe.phases())


def _require_same(run: Run, plan: RunConfig) -> None:
    before = read_config(run, plan.recipe_class)
    old, new = (
        {**p.config.to_json(), "size": p.options.size, "stabilise": p.training.stabilise} for p in (before, plan)
    )
    # A run has the name of a preset where "auto" was asked for; the settings that it stands for are compared.
    differing = [name for name in new if new[name] != old.get(name) and (name, new[name]) != ("preset", AUTO)]
    if differing:
        said = ", ".join(f"{flag(name)} {_said(old.get(name))} there, {_said(new[name])} now" for name in differing)
        raise InputError(f"{run.path} was made with other settings ({said}): name another folder with --out.")


def _said(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
