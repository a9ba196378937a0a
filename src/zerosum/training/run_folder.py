"""The folder of a run that begins."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World
from zerosum.runtime.paths import expanded


def make_folder(plan: RunConfig, run: str | Path | None, world: World) -> Path:
    """Make the folder that is asked for, or one of its own for this run, and return its path to every process.

    Raises:
        InputError: it cannot be made.
    """
    path, error = None, None
    if world.is_first:
        try:
            path = _own_folder(plan) if run is None else expanded(run)
            path.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            error = InputError(f"{path or 'runs'} cannot be made ({refused.strerror}): name another folder with --run.")
    found = world.gather(path)[0]
    if error is not None:
        raise error
    if found is None:
        raise distributed.failed_elsewhere()
    return Path(str(found))


def _own_folder(plan: RunConfig) -> Path:
    """Make a folder called after data and recipe, numbered where the name is taken, be it by a run that starts now."""
    stem = Path("runs") / f"{Path(os.path.abspath(plan.data)).stem or 'data'}-{plan.recipe}"
    stem.parent.mkdir(exist_ok=True)
    for number in count(1):
        path = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError  # count has no end
