"""Logs of other programs as a history, their columns mapped by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from zerosum.doctor.columns import ROUND, ROUNDS, read_names
from zerosum.doctor.event_files import event_files, read_events
from zerosum.doctor.log_files import READERS, Row, read_rows
from zerosum.errors import InputError
from zerosum.run.history import History
from zerosum.text import listed

ENDINGS = (*READERS, ".log", ".txt", ".out")
ROUNDED = 1.001
"""An accuracy of 1 as sums in float32 may give it: more is a percentage."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """A log that was read."""

    history: History

    read_as: dict[str, str]
    """Name in the history of each column that is understood."""

    not_read: tuple[str, ...]
    """Columns that are not understood."""

    notes: tuple[str, ...] = ()
    """What was done to it, a sentence each."""

    epochs: bool | None = None
    """Whether the column that counts counts epochs; None where no column says what is counted."""


def is_log(place: Path) -> bool:
    """Whether a path is read as a log: by the ending of its name, or as a folder in which event files lie."""
    named = place.suffix.lower() in ENDINGS and not place.is_dir()
    return named or (not (place / "run.json").exists() and bool(event_files(place)))


def read_log(place: Path, given: Sequence[str] = ()) -> Log:
    """Read a log.

    Args:
        place: a table (.csv, .tsv), a JSON object a line (.jsonl), printed lines (.log, .txt), or TensorBoard's events.
        given: "COLUMN=KEY" for columns whose names are not understood, or are misunderstood.

    Raises:
        InputError: nothing in it can be read as a measurement of a player.
    """
    if not place.exists():
        raise InputError(f"There is no log {place}: name one that is there.")
    names, rows, notes = read_events(place) if event_files(place) else read_rows(place)
    read_as, not_read = read_names(names, given)
    counter = next((name for name, key in read_as.items() if key == ROUND), None)
    measured = {name: key for name, key in read_as.items() if key != ROUND}
    if not any("/" in key for key in measured.values()):
        raise InputError(
            f"No column of {place} is understood ({listed(names, most=12)}): name one, as in "
            f"--map '{listed(names[-1:])}=discriminator/loss'."
        )
    counter, said = _counter(names, rows, counter)
    shares = _percentages(rows, measured)
    found = []
    for index, row in enumerate(rows, start=1):
        values = {key: row[name] / (100 if name in shares else 1) for name, key in measured.items() if name in row}
        if values and (counter is None or counter in row):
            at = index if counter is None else row[counter]
            found.append({"round": int(at) if float(at).is_integer() else at, **values})
    if shares:
        said.append(f"Read as percentages: {listed(sorted(shares), most=6)}.")
    read_as = ({counter: ROUND} if counter else {}) | measured
    epochs = None if counter is None or counter == "index" else counter.lower().startswith("epoch")
    return Log(history=History(found), read_as=read_as, not_read=tuple(not_read), notes=(*notes, *said), epochs=epochs)


def _counter(names: Sequence[str], rows: Sequence[Row], given: str | None) -> tuple[str | None, list[str]]:
    """Return the column that counts the rounds, and what is to be said of it."""
    by_name = {name.lower().strip(): name for name in names}
    candidates = [given] if given else [by_name[name] for name in ROUNDS if name in by_name]
    for name in candidates:
        values = [row[name] for row in rows if name in row]
        if values and all(map(math.isfinite, values)) and all(a < b for a, b in pairwise(values)):
            return name, []
    if not candidates:
        return None, ["No column counts rounds or epochs: the number of the row stands for it."]
    return None, [f"{listed(candidates)} does not rise from row to row: the number of the row stands for the round."]


def _percentages(rows: Sequence[Row], measured: dict[str, str]) -> set[str]:
    """Return the columns of accuracies that go up to 100."""
    found = set()
    for name, key in measured.items():
        values = [row[name] for row in rows if name in row and math.isfinite(row[name])]
        if key.endswith("accuracy") and values and ROUNDED < max(values) <= 100 and min(values) >= 0:
            found.add(name)
    return found
