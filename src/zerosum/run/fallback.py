"""The best state that a failing run has had, kept beside its checkpoints, so that rescues do not end worse than it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zerosum.game import Game
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.runtime.atomic_files import replacing, storing

ABOUT, HISTORY = "fallback", "history.jsonl"
"""An entry of the checkpoint's index, and a file beside its weights."""


def keep(run: Run, game: Game[Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the present round's checkpoint, with settings and history, in the place of the one kept before.

    Args:
        run: the run.
        game: that is played.
        about: what `kept` is to return.
        rows: of the history.

    Raises:
        DivergedError: a weight is not finite; nothing is written.
        StorageError: the disk refuses.
    """
    history = "".join(json.dumps(row) + "\n" for row in rows).encode()
    write = checkpoint.prepared(run, run.fallback, game, about={ABOUT: dict(about)}, files={HISTORY: history})
    if write is not None:
        write()


def kept(run: Run) -> dict[str, Any] | None:
    """Return what is known of the state that is kept, "round" included; None where there is none.

    Raises:
        InputError: it is not one of ours.
    """
    if not run.fallback.is_dir():
        return None
    return checkpoint.of_index(run.fallback, lambda index: {**index[ABOUT], "round": int(index["round"])})


def adopt(run: Run) -> None:
    """Make the state that is kept a checkpoint, and its history the run's; doing so twice changes nothing more.

    Raises:
        InputError: it is damaged.
        StorageError: the disk refuses.
    """
    files = checkpoint.read(run.fallback, run).files
    clock = checkpoint.of_index(run.fallback, lambda index: {name: int(index[name]) for name in ("round", "seen")})
    checkpoint.write_files(run, run.checkpoint(clock["round"]), clock, files)
    with storing(run.path), replacing(run.path / HISTORY) as partial:
        partial.write_bytes((run.fallback / HISTORY).read_bytes())
