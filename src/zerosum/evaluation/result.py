"""Metric results, and the evaluation file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from zerosum.errors import InputError
from zerosum.evaluation.protocol import Protocol
from zerosum.metrics.bootstrap import Interval
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.regular_files import read_regular
from zerosum.runtime.untrusted_json import parse

FORMAT = 1
FILE = "evaluation.json"
"""What an evaluation is called in a run."""

Better = Literal["lower", "higher", "near 0.5"]
"""Which way a metric is better; "near 0.5" where both ways from there are worse."""


@dataclass(frozen=True, kw_only=True)
class MetricResult:
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
    figures: tuple[MetricResult, ...]
    notes: tuple[str, ...]
    """What was done on the way, a sentence each."""

    verdict: tuple[str, ...] = ()
    """How good it is in plain words, a sentence each."""

    made: str = ""
    """How images in files came to be what was evaluated, such as "JPEG" or "brought from 512x512"; empty for samples
    that were evaluated as they were made."""

    def __getitem__(self, metric: str) -> MetricResult:
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
            content: dict[str, Any] = parse(read_regular(path).decode())
            if content.pop("format") != FORMAT:
                raise ValueError
            return TypeAdapter(cls).validate_python(content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ValidationError):
            raise InputError(
                f"{path} is no evaluation that this version of zerosum wrote: make it again with zerosum evaluate."
            ) from None


def holds_figures(path: Path) -> bool:
    """Whether a file is an evaluation, of this version of zerosum or another."""
    try:
        content = parse(read_regular(path).decode())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and {"format", "subject", "protocol", "figures"} <= content.keys()


def finite(value: float) -> float | None:
    """Return a value, or None in place of what is no finite number and JSON cannot hold."""
    return value if math.isfinite(value) else None


def drop_invalid_interval(figure: MetricResult) -> MetricResult:
    """Leave out an interval that is not finite: some draw of the samples had no value."""
    found = figure.interval
    if found is None or all(map(math.isfinite, (found.low, found.high, found.standard_error))):
        return figure
    return replace(figure, interval=None)
