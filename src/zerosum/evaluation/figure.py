"""A figure of merit with what a reader must know of it, and all figures of one subject as they are kept in a file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from zerosum.errors import InputError
from zerosum.evaluation.protocol import Protocol
from zerosum.files import replacing
from zerosum.metrics.bootstrap import Interval

FORMAT = 1
FILE = "evaluation.json"
"""What an evaluation is called in a run."""

Better = Literal["lower", "higher"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What a metric says of samples."""

    __pydantic_config__ = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    metric: str
    """By what name it is asked for."""

    title: str
    """What it is called in print: a Frechet distance is FID with the full Inception network's features alone."""

    value: float | None
    """The figure; None where it is no finite number."""

    better: Better

    settings: str = ""
    """How it was taken, such as "k = 3"; with other settings it does not compare."""

    floor: float | None = None
    """What real samples get against other real ones at the same counts; None where that has no meaning."""

    interval: Interval | None = None
    """Where the value would lie if samples were generated again; None where nothing is known of it."""

    notes: tuple[str, ...] = ()
    """Sentences that belong beside it."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How good a subject is."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    subject: str
    """A run or a folder."""

    round: int | None
    """Rounds that the run had played; None for what is no run."""

    protocol: Protocol
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    """What was done on the way, a sentence each."""

    def __getitem__(self, metric: str) -> Figure:
        """Return the figure of a metric by its name.

        Raises:
            InputError: It was not evaluated.
        """
        found = next((figure for figure in self.figures if figure.metric == metric), None)
        if found is None:
            known = ", ".join(figure.metric for figure in self.figures)
            raise InputError(f"{metric} was not evaluated for {self.subject}: there are {known}.")
        return found

    def write(self, path: Path) -> Path:
        """Write it as JSON.

        Raises:
            StorageError: The disk refuses.
        """
        content = TypeAdapter(Evaluation).dump_python(self, mode="json")
        with replacing(path) as partial:
            partial.write_text(json.dumps({"format": FORMAT, **content}, indent=2, allow_nan=False) + "\n")
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            InputError: There is no such file, or it is another kind of file.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError
            return TypeAdapter(cls).validate_python(content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ValidationError):
            raise InputError(
                f"{path} is no evaluation that this version of zerosum wrote: make it anew with zerosum evaluate."
            ) from None


def finite(value: float) -> float | None:
    """Return a value, or None in place of what is no finite number and JSON cannot hold."""
    return value if math.isfinite(value) else None


def sound(figure: Figure) -> Figure:
    """Leave out an interval that is not finite: some draw of the samples had no value."""
    found = figure.interval
    if found is None or all(map(math.isfinite, (found.low, found.high, found.standard_error))):
        return figure
    return replace(figure, interval=None)


def warnings(figures: Sequence[Figure]) -> list[str]:
    """Return the notes of figures, each once, under the titles that it is a note on."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        for note in figure.notes:
            told.setdefault(note, []).append(figure.title)
    return [f"{', '.join(titles)}: {note}" for note, titles in told.items()]
