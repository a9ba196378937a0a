"""Rescues of a run, as run.json keeps them: what failed, where the run went back to, and what was changed.

A rescue is committed by one write of run.json, which holds the changed settings and says that the files of the rounds
that became void are still there; `settle` then sets them aside. A kill at any moment leaves the run before the commit,
or one that `settle` brings to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zerosum.errors import InputError
from zerosum.run import fallback
from zerosum.run.checkpoint import played
from zerosum.run.directory import Run
from zerosum.run.history import History
from zerosum.runtime.atomic_files import remove_folder, replacing, storing

RESCUES, UNSETTLED = "rescues", "rolling_back"
"""Entries of run.json: the list of rescues, and whether the files of void rounds are still there."""


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """One rescue, or the end of all tries."""

    round: int
    """Rounds played when the finding was made."""
    sign: str
    """Name of the finding's sign."""
    finding: str
    """The finding in one sentence."""
    to: int
    """Round of the checkpoint that the run went back to; 0 is its start."""
    attempt: int
    """How many rescues from this finding there were, this one included."""
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Settings that were changed: name -> (before, since)."""
    step: str = "remedy"
    """Which kind of change it is: "defaults", "remedy", "steady" or "rates"."""
    remedy: int | None = None
    """Place of the change among the finding's remedies; None where it is another kind."""
    restructured: bool = False
    """Whether the networks have other weights since."""
    skipped: tuple[str, ...] = ()
    """Remedies that were passed over, each with the reason."""
    gave_up: bool = False
    """Whether no try was left, and the run ends at `to`."""
    resigned: bool = False
    """Whether no try was left against a warning: nothing is changed, and warnings are ignored from there on."""
    fell_back: bool = False
    """Whether the state at `to`, and the changed settings, are those of an earlier try, whose samples were nearer to
    real ones."""


def rescues_of(run: Run) -> list[Rescue]:
    """Return the rescues of a run, in order.

    Raises:
        InputError: run.json was edited.
    """
    try:
        return TypeAdapter(list[Rescue]).validate_python(run.description.get(RESCUES, []))
    except ValidationError:
        raise InputError(f"{run.path}/run.json was edited: its {RESCUES!r} cannot be read.") from None


def commit(run: Run, rescue: Rescue, settings: Mapping[str, Any]) -> None:
    """Write a rescue and the settings from there on ("config" and "training") into run.json, in one write."""
    listed = [asdict(each) for each in (*rescues_of(run), rescue)]
    run.describe(run.description | dict(settings) | {RESCUES: listed, UNSETTLED: True})


def settle(run: Run) -> None:
    """Set aside what was written after the round that the last rescue went back to, if that is not done yet.

    Rows of the history go to history-before-rescue-N.jsonl; checkpoints and pictures are removed. The best checkpoint
    stays, unless its weights no longer fit. An end of all tries that left no checkpoint is taken back, because playing
    on from the start comes to it again.

    Raises:
        InputError: run.json was edited.
        StorageError: the disk refuses.
    """
    if not run.description.get(UNSETTLED):
        return
    rescues = rescues_of(run)
    if not rescues:
        raise InputError(f"{run.path}/run.json was edited: it says {UNSETTLED!r} and has no {RESCUES!r}.")
    last, aside = rescues[-1], _aside(run, len(rescues))
    if not aside.exists():
        rows = [row for row in run.history() if last.fell_back or row["round"] > last.to]
        with replacing(aside) as partial:
            partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if last.fell_back:
        fallback.adopt(run)
    with storing(run.path):
        for path in run.checkpoints():
            if played(path) > last.to or (last.fell_back and played(path) < last.to):
                remove_folder(path)
        if last.restructured and run.best.is_dir():
            remove_folder(run.best)
    run.rewind(last.to)
    settled = {name: value for name, value in run.description.items() if name != UNSETTLED}
    if last.gave_up and not run.checkpoints():
        aside.unlink()
        settled[RESCUES] = settled[RESCUES][:-1]
    run.describe(settled)
    if last.fell_back:
        with storing(run.path):
            remove_folder(run.fallback)


def void_values(run: Run, key: str) -> list[float]:
    """Return the values of one measurement in rounds that rescues made void."""
    count = len(run.description.get(RESCUES, []))
    return [value for number in range(count) for value in History.read(_aside(run, number + 1)).series(key)[1]]


def _aside(run: Run, number: int) -> Path:
    return run.path / f"history-before-rescue-{number}.jsonl"
