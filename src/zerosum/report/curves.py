"""The charts of a report: losses, accuracies of the discriminator, speed, and the rest by player."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from zerosum.report.charts import HALF, SMALL, WIDE, Entry, Line, chart, legend
from zerosum.report.run_data import RunData
from zerosum.report.summary import noun

FIGURES = "evaluation/"
"""How the names of what evaluations during training measure begin."""


@dataclass(frozen=True)
class Card:
    """A chart under its title."""

    title: str
    drawn: Markup
    legend: list[Entry] | None = None


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The section of curves."""

    losses: Card | None
    pair: list[Card]
    """Accuracies and speed, beside each other."""

    rest: dict[str, list[Card]]
    """What else was measured, each on its own scale, by player."""

    count: int
    """Charts in `rest`."""


def figures(evidence: RunData) -> list[str]:
    """Names of what evaluations during training measured."""
    return [key for key in evidence.history.measured() if key.startswith(FIGURES)]


def curves(evidence: RunData) -> Curves:
    """Draw the section of curves."""
    keys = evidence.history.measured()
    losses = [key for key in keys if key.endswith("/loss")]
    accuracies = [key for key in keys if key.endswith(("/real_accuracy", "/fake_accuracy"))]
    shown = (*losses, *accuracies, *figures(evidence))
    others = sorted((key for key in keys if "/" in key and key not in shown), key=lambda key: key.partition("/")[0])
    rest: dict[str, list[Card]] = {}
    for key in others:
        rest.setdefault(key.partition("/")[0], []).append(small(evidence, key))
    return Curves(
        losses=_losses(evidence, losses) if losses else None,
        pair=[*_accuracy_card(evidence, accuracies), *_speed_card(evidence)],
        rest=rest,
        count=len(others),
    )


def small(evidence: RunData, key: str, *, limits: tuple[float, float] | None = None) -> Card:
    """Draw one measurement on a small chart of its own."""
    line = _line(evidence, key, key.partition("/")[2])
    return Card(line.name, chart([line], SMALL, title=key, limits=limits))


def _losses(evidence: RunData, keys: list[str]) -> Card:
    lines = [_line(evidence, key, key.removesuffix("/loss")) for key in keys]
    drawn = chart(lines, WIDE, title="Losses by player", marks=_phases(evidence))
    return Card("Losses, by player", drawn, legend(lines))


def _accuracy_card(evidence: RunData, keys: list[str]) -> list[Card]:
    if not keys:
        return []
    players = {key.rpartition("/")[0] for key in keys}
    lines: list[Line] = []
    for key in keys:
        player, _, name = key.rpartition("/")
        side = name.removesuffix("_accuracy")
        lines.append(_line(evidence, key, side if len(players) == 1 else f"{player} {side}"))
    drawn = chart(lines, HALF, title="Share classified correctly", limits=(0, 1), reference=0.5, say=_percent)
    return [Card("Samples the discriminator classifies correctly", drawn, legend(lines, say=_percent))]


def _speed_card(evidence: RunData) -> list[Card]:
    rounds, values = evidence.history.series("images_per_second")
    if not values:
        return []
    lines = [Line(f"{noun(evidence)} a second", rounds, values)]
    return [Card("Speed", chart(lines, HALF, title="Speed", limits=(0, max(values) * 1.08 or 1)), legend(lines))]


def _line(evidence: RunData, key: str, name: str) -> Line:
    return Line(name, *evidence.history.series(key))


def _phases(evidence: RunData) -> list[tuple[float, str]]:
    """Return the round each phase after the first was first measured in, and its name."""
    named = [(row["round"], row["phase"]) for row in evidence.history if isinstance(row.get("phase"), str)]
    return [after for before, after in pairwise(named) if after[1] != before[1]]


def _percent(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")
