"""One command that starts a run and, typed again, goes on with it: for whatever restarts a job after it was ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerosum.data.sources.find import name_of
from zerosum.errors import InputError
from zerosum.recipes import RecipeLike
from zerosum.run.config import changed, read_config
from zerosum.run.copies import fetch
from zerosum.run.directory import Run
from zerosum.runtime import distributed
from zerosum.runtime.display import display
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import Progress
from zerosum.text import command
from zerosum.training import launch
from zerosum.training.shared_folder import is_seen, not_shared


def begun(run: str | Path | None, copy: str | None = None) -> Run | None:
    """Return the run that stands in a folder, None where it is yet to begin; every process gets the same answer.

    Args:
        run: the folder.
        copy: where in an object store a copy of it may be, which is brought here if it is not.

    Raises:
        InputError: no folder is named, what stands there cannot be read, or this machine does not see it.
    """
    if run is None:
        raise InputError("--go-on needs the name of the run, which stays the same: add --run FOLDER.")
    path = expanded(run)
    state = distributed.first_says("state", lambda: _state(path, copy))
    if state == "new":
        return None
    if not is_seen(path):
        raise not_shared(path)
    return Run.open(path)


def go_on(
    directory: Run,
    asked: Mapping[str, Any],
    *,
    data: str | Path,
    recipe: RecipeLike | None = None,
    progress: Progress | None = None,
) -> Run:
    """Resume a run with the command that began it, or say that it is done.

    Args:
        directory: the run.
        asked: settings that were typed; one that was not is as the run has it.
        data: as typed.
        recipe: as typed.
        progress: who is told how it goes.

    Raises:
        InputError: a setting, the recipe or the data are not those of the run; it is named with both values.
    """
    plan = read_config(directory, recipe)
    asked = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in asked.items()}  # an array's
    before, began = plan.settings(), directory.description.get("asked", {})
    changes = {
        name: value for name, value in asked.items() if value not in (before.get(name, ...), began.get(name, ...))
    }
    changed(plan, changes, directory)
    moved = None if name_of(data) == plan.data else data  # of which only opening them says whether they are the same
    if moved is None and distributed.first_says("done", lambda: str(_is_done(directory, changes))) == "True":
        if os.environ.get("RANK", "0") == "0":
            display(progress).note(_said(directory, before["rounds"]))
        return directory
    return launch.resume(directory.path, recipe=recipe, data=moved, progress=progress, **changes)


def _state(path: Path, copy: str | None) -> str:
    if not (path / "run.json").exists() and (copy is None or path.exists() or not fetch(copy, path)):
        return "new"
    Run.open(path)
    return "begun"


def _is_done(directory: Run, changes: Mapping[str, Any]) -> bool:
    rounds = int(directory.description.get("rounds", 0))
    played = [int(path.name) for path in directory.checkpoints()[-1:]]
    return played == [rounds] and "rounds" not in changes and (directory.path / "report.html").exists()


def _said(directory: Run, rounds: int) -> str:
    longer = command("zerosum", "train", "--resume", directory.path, "--rounds", 2 * rounds)
    rounds = directory.description["rounds"]
    played = "its one round is" if rounds == 1 else f"all {rounds:,} rounds are"
    return f"{directory.path} is done: {played} played. To train it longer: {longer}"
