"""Experiment trackers that a run's curves, pictures and figures can be sent to."""

from __future__ import annotations

import importlib

from zerosum.errors import InputError
from zerosum.trackers.base import About, Tracker

INSTALLS = {
    "wandb": "pip install 'zerosum[trackers]', or wandb alone",
    "mlflow": "pip install 'zerosum[trackers]', or mlflow",
    "trackio": "pip install trackio",
}
"""Trackers by name, and what installs what each needs."""


def connect(name: str, about: About, session: str | None) -> Tracker:
    """Begin a session of a tracker, or go on with one by its id.

    Raises:
        InputError: there is no such tracker, or its package is not installed.
    """
    if name not in INSTALLS:
        raise InputError(f"There is no tracker {name!r}: give one of {', '.join(INSTALLS)}.")
    try:
        module = importlib.import_module(f"zerosum.trackers.to_{name}")
    except ImportError as error:
        raise InputError(f"--to {name} needs a package ({error}): {INSTALLS[name]}") from error
    return module.connect(about, session)
