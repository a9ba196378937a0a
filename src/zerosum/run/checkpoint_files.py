"""Checkpoints as they are read: once, whole, and without trusting them, though a run writes others meanwhile."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zerosum.errors import InputError
from zerosum.run.checkpoint_index import INDEX, digest, require_own
from zerosum.run.directory import Run, Which
from zerosum.runtime.regular_files import read_regular

FORMAT = 1
WEIGHTS, AVERAGES, STATE = "weights.safetensors", "averages.safetensors", "state.pt"
SECONDS = 0.05
"""Time after which it is looked whether a checkpoint that could not be read is another one by now."""
TRIES = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A checkpoint in memory: what is loaded from it and what is said of it are one."""

    path: Path
    """Where it lay; another one may be there by now."""

    files: Mapping[str, bytes]
    """Weights, averages and, where there is one, the state."""

    round: int
    """Rounds that it stands after."""

    fingerprint: str
    """16 hexadecimal digits that identify it: of its run, its round and all its values."""


def read(path: Path, run: Run) -> Checkpoint:
    """Read a checkpoint of a run.

    Raises:
        InputError: it is damaged, of another run, or not one of ours.
    """
    try:
        index = json.loads(read_regular(path / INDEX))
        found, sums = index["format"], index["sha256"]
        if not isinstance(sums, dict):
            raise TypeError
        round_ = int(index["round"])
        names = [name for name in (WEIGHTS, AVERAGES, STATE) if name != STATE or name in sums]
        files = {name: read_regular(path / name) for name in names}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"{path} is not a zerosum checkpoint: its {INDEX}, or a file that it names, is missing."
        ) from None
    except OSError as error:
        raise InputError(f"The checkpoint {path} cannot be read: {error.strerror or error}.") from error
    if found != FORMAT:
        raise InputError(f"{path} has format {found!r}, and this version of zerosum reads format {FORMAT}.")
    require_own(path, index, run)
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != sums.get(name):
            raise InputError(
                f"{path}/{name} is damaged (its checksum differs): delete {path} to go on from the one before."
            )
    return Checkpoint(path=path, files=files, round=round_, fingerprint=digest(index)[:16])


def read_chosen(run: Run, which: Which) -> Checkpoint:
    """Read the newest checkpoint, the best, or that of a round; anew where the run replaces or drops it meanwhile.

    Raises:
        InputError: there is none, or it is damaged, of another run, or not one of ours.
    """
    for _ in range(TRIES):
        before = _present(run, which)
        try:
            return read(run.chosen(which), run)
        except InputError:
            time.sleep(SECONDS)
            if _present(run, which) == before:
                raise
    return read(run.chosen(which), run)


def _present(run: Run, which: Which) -> tuple[Path, bytes] | None:
    """Return the place and the index of a checkpoint; None where it is not there, as while it is replaced."""
    try:
        path = run.chosen(which)
        return path, read_regular(path / INDEX)
    except (InputError, OSError):
        return None
