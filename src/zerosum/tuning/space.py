"""The settings that a search varies, and the values that it tries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zerosum import kinds
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.weightless import without_weights

RATE_FACTOR = 8.0
"""Learning rates are tried from the default divided by this to the default times it."""

VALUES: dict[str, tuple[Any, ...]] = {
    "ema_decay": (0.99, 0.999, 0.9995),
    "n_discriminator": (1, 2, 5),
    "n_critic": (1, 2, 5),
    "dropout": (0.0, 0.25, 0.5),
    "betas": ((0.0, 0.9), (0.0, 0.99), (0.5, 0.999)),
}
"""Values that are tried of settings of these names, beside the default."""

STABILISERS = (
    "instance-noise:0.1",
    "label-smoothing:0.1",
    "feature-matching:1",
    "diff-augment",
    "spectral-norm",
    "r1:1",
)
"""Stabilisers that are tried, one at a time, where the recipe can have them."""


@dataclass(frozen=True)
class Range:
    """A setting that is tried anywhere between two numbers, evenly in its logarithm."""

    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """A setting that is tried at some values, the default first; each by its place in the row."""

    values: tuple[Any, ...]


def require_comparable(plan: RunConfig, metric: str | None) -> None:
    """Refuse what would make trials other runs than their settings say, or compare them by two metrics.

    Args:
        plan: what was asked for.
        metric: by which trials are compared, if it was named.

    Raises:
        InputError: something of that was asked for.
    """
    training = plan.training
    if training.autopilot:
        raise InputError("--autopilot changes the settings that a search compares: leave it out.")
    if training.copy_to is not None:
        raise InputError(f"--copy-to {training.copy_to} is the place of one run, and every trial is one: leave it out.")
    if metric is not None and training.best not in (None, metric):
        raise InputError(
            f"--metric {metric} and --best {training.best} both say by what trials are compared: give one."
        )


def space_of(plan: RunConfig, spec: Spec, device: str) -> dict[str, Range | Choice]:
    """Return what is varied: settings of the recipe that were not asked for, and what stabilises it.

    Args:
        plan: what was asked for; its settings stay.
        spec: of the data.
        device: type of the device.

    Raises:
        InputError: nothing is left to vary.
    """
    fitted = plan.fitted(spec, device)
    defaults = vars(fitted.config)
    found: dict[str, Range | Choice] = {}
    for name, value in defaults.items():
        if name in plan.asked:
            continue
        if (name == "lr" or name.endswith("_lr")) and isinstance(value, float):
            found[name] = Range(value / RATE_FACTOR, value * RATE_FACTOR)
        elif name in VALUES and isinstance(value, type(VALUES[name][0])):
            found[name] = Choice(_first(value, VALUES[name]))
    if "stabilise" not in plan.asked:
        present = fitted.training.stabilise
        possible = [s for s in STABILISERS if s != present and _applies(fitted, spec, s)]
        if possible:
            found["stabilise"] = Choice((present, *possible, *((None,) if present is not None else ())))
    if not found:
        raise InputError(f"Every setting of {plan.recipe} that could be searched was given: leave some out.")
    return found


def _first(value: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((value, *values)))


def _applies(plan: RunConfig, spec: Spec, name: str) -> bool:
    """Whether a recipe can have a stabiliser; built without memory for its weights."""
    if name == "diff-augment" and not kinds.find(spec.kind).pictures:
        return False
    try:
        with without_weights():
            build_recipe(replace(plan, training=replace(plan.training, stabilise=name)), spec)
    except InputError:
        return False
    return True
