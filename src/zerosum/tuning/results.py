"""What a search found: its trials, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zerosum.config import flag, spelt
from zerosum.stabilisers import NONE

DEFAULT = "trial-0"
"""The run of the first trial, which has the default settings."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """A trial of a search."""

    run: str
    """Name of its run in the folder of the search."""
    settings: Mapping[str, Any]
    """What it was tried with, by name."""
    state: str
    """ "complete", or why it ended early."""
    value: float | None = None
    """The metric at its end."""
    interval: tuple[float, float] | None = None
    """Where it would lie for other samples, at 95 %."""
    again: float | None = None
    """The metric of other samples: of the best trial, whose first figure is too good because it was chosen by it."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a search found."""

    metric: str
    lower_is_better: bool
    trials: tuple[TrialResult, ...]
    """The best first, then the others by their metric, then what ended early."""
    finished: bool
    """Whether it came to the end of its budget."""
    stopped_by: int | None = None

    @property
    def best(self) -> TrialResult | None:
        """The best trial that played to its end; None where none did."""
        return next((trial for trial in self.trials if trial.value is not None), None)

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON knows them."""
        return asdict(self)


def typed(name: str, value: Any) -> str:
    """Spell a setting of a trial as it is typed; without a stabiliser is said too, because few images get one.

    >>> typed("lr", 0.1), typed("stabilise", None)
    ('--lr 0.1', '--stabilise none')
    """
    return f"{flag(name)} {NONE if value is None else spelt(value)}"
