"""The charts of a report: losses, how well the discriminator tells real from fake, speed, and the rest by player."""

from __future__ import annotations

from itertools import groupby, pairwise

from zerosum.report.charts import HALF, SMALL, WIDE, Line, chart, legend
from zerosum.report.html import Markup, tag
from zerosum.report.run_data import RunData
from zerosum.report.summary import noun

FIGURES = "evaluation/"
"""How the names of what evaluations during training measure begin."""


def figures(evidence: RunData) -> list[str]:
    """Names of what evaluations during training measured."""
    return [key for key in evidence.history.measured() if key.startswith(FIGURES)]


def curves(evidence: RunData) -> Markup:
    """Write the section of curves; nothing where nothing was measured."""
    keys = evidence.history.measured()
    losses = [key for key in keys if key.endswith("/loss")]
    accuracies = [key for key in keys if key.endswith(("/real_accuracy", "/fake_accuracy"))]
    shown = (*losses, *accuracies, *figures(evidence))
    rest = [key for key in keys if "/" in key and key not in shown]
    parts: list[Markup] = []
    if losses:
        lines = [_line(evidence, key, key.removesuffix("/loss")) for key in losses]
        drawn = chart(lines, WIDE, title="Losses by player", marks=_phases(evidence))
        parts.append(card("Losses, by player", legend(lines), drawn, kind="plot wide"))
    pair = [*_accuracy_card(evidence, accuracies), *_speed_card(evidence)]
    if pair:
        parts.append(tag("div", {"class": "pair"}, *pair))
    if rest:
        parts.append(_rest(evidence, rest))
    if not parts:
        return Markup()
    note = "Faint: as measured. Strong: averaged over a fortieth of the run. Rare spikes may leave the frame."
    return tag("section", {}, tag("h2", {}, "Curves"), tag("p", {"class": "soft"}, note), *parts)


def _accuracy_card(evidence: RunData, keys: list[str]) -> list[Markup]:
    if not keys:
        return []
    players = {key.rpartition("/")[0] for key in keys}
    lines: list[Line] = []
    for key in keys:
        player, _, name = key.rpartition("/")
        side = name.removesuffix("_accuracy")
        lines.append(_line(evidence, key, side if len(players) == 1 else f"{player} {side}"))
    drawn = chart(lines, HALF, title="Share told right", limits=(0, 1), reference=0.5, say=_percent)
    return [card("Samples the discriminator tells right", legend(lines, say=_percent), drawn)]


def _speed_card(evidence: RunData) -> list[Markup]:
    rounds, values = evidence.history.series("images_per_second")
    if not values:
        return []
    lines = [Line(f"{noun(evidence)} a second", rounds, values)]
    drawn = chart(lines, HALF, title="Speed", limits=(0, max(values) * 1.08 or 1))
    return [card("Speed", legend(lines), drawn)]


def _rest(evidence: RunData, keys: list[str]) -> Markup:
    """Draw what else was measured, small, each on its own scale, player after player."""
    groups: list[Markup] = []
    for player, names in groupby(
        sorted(keys, key=lambda key: key.partition("/")[0]), lambda key: key.partition("/")[0]
    ):
        cards = [small(evidence, key) for key in names]
        groups.append(tag("div", {}, tag("p", {"class": "soft"}, player), tag("div", {"class": "small"}, *cards)))
    return tag("details", {}, tag("summary", {}, f"Everything else that was measured ({len(keys)})"), *groups)


def small(evidence: RunData, key: str, *, limits: tuple[float, float] | None = None) -> Markup:
    """Draw one measurement on a small chart of its own."""
    line = _line(evidence, key, key.partition("/")[2])
    return card(line.name, Markup(), chart([line], SMALL, title=key, limits=limits))


def card(title: str, keys: Markup, drawn: Markup, *, kind: str = "plot") -> Markup:
    """Put a chart under its title and its legend."""
    return tag("div", {"class": "card"}, tag("h3", {}, title), keys, tag("div", {"class": kind}, drawn))


def _line(evidence: RunData, key: str, name: str) -> Line:
    return Line(name, *evidence.history.series(key))


def _phases(evidence: RunData) -> list[tuple[float, str]]:
    """Return the round each phase after the first was first measured in, and its name."""
    named = [(row["round"], row["phase"]) for row in evidence.history if isinstance(row.get("phase"), str)]
    return [after for before, after in pairwise(named) if after[1] != before[1]]


def _percent(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")
