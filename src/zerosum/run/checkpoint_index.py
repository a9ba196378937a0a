"""The index of a checkpoint: its checksums, and the run and the round that it is of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
from zerosum.run.directory import Run
from zerosum.text import is_whole

INDEX = "checkpoint.json"


def run_id(run: Run) -> str | None:
    """Return the id of a run; those of earlier versions have none."""
    try:
        found = run.description
    except (OSError, ValueError, RecursionError):
        return None
    return found.get("id") if isinstance(found, dict) else None


def digest(index: Mapping[str, Any]) -> str:
    """Return the checksum of an index over all of it but this checksum."""
    sums = {name: value for name, value in index["sha256"].items() if name != INDEX}
    return hashlib.sha256(json.dumps({**index, "sha256": sums}, sort_keys=True).encode()).hexdigest()


def require_own(path: Path, index: Mapping[str, Any], run: Run) -> None:
    """Check that a checkpoint is of the run that it lies in, of the round that it is named after, and undamaged.

    Raises:
        InputError: it is not.
    """
    own = run_id(run)
    if "run" in index or own is not None:
        if index["sha256"].get(INDEX) != digest(index):
            raise InputError(f"{path}/{INDEX} is damaged (its checksum differs): delete {path} to go on without it.")
        if index.get("run") != own:
            raise InputError(f"{path} is of another run than {run.path}: delete it to go on without it.")
    if is_whole(path.name) and int(path.name) != index["round"]:
        raise InputError(f"{path} is named after round {int(path.name)} and holds round {index['round']}: rename it.")
