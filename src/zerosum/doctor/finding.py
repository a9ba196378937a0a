"""A finding: what goes wrong in a run, since when, by which figure, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["note", "warning", "critical"]
"""note: worth knowing; warning: likely to end badly, or to waste time; critical: the run is failing or has failed."""

Confidence = Literal["possible", "likely", "certain"]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change of settings against a finding."""

    flags: str
    """What to type, as "--discriminator-lr 0.0001" or "--stabilise instance-noise:0.1"; every flag in it exists."""

    why: str
    """What it does about the cause, in a clause without a full stop."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """The same change as settings by name; empty where a person has to choose."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that goes wrong."""

    sign: str
    """Name of the sign that found it, as "discriminator-overpowers"."""

    title: str
    """What it is, in a few words: "The discriminator overpowers the generator"."""

    severity: Severity
    confidence: Confidence

    since: int
    """Round from which on it holds."""

    measure: str
    """What was measured, in words with its unit: "accuracy of the discriminator"."""

    value: float
    threshold: float
    """The bound that `value` has crossed."""

    keys: tuple[str, ...] = ()
    """Series of the history that show it."""

    meaning: str
    """What it means for the run, one or two sentences."""

    remedies: tuple[Remedy, ...] = ()
    """What to change, the first to try first."""

    source: str = ""
    """Paper and section, or address, where more is written."""

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON knows them."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it in one line: what, since when, by which figure, and what to try first.

        >>> Finding(sign="s", title="The loss is not finite", severity="critical", confidence="certain", since=40,
        ...         measure="loss", value=1.5, threshold=1, meaning="").sentence()
        'The loss is not finite since round 40 (loss: 1.5, threshold 1).'
        """
        figure = f"{self.measure}: {self.value:.3g}, threshold {self.threshold:.3g}"
        advice = f" Try {self.remedies[0].flags}: {self.remedies[0].why}." if self.remedies else ""
        return f"{self.title} since round {self.since:,} ({figure}).{advice}"
