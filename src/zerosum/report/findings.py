"""The section on findings: what goes wrong in a run, each thing with its curves and what to change."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum import text
from zerosum.doctor.evidence import Evidence
from zerosum.doctor.facts import facts_of
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import diagnose
from zerosum.report.charts import HALF, Line, chart, legend, limits_of
from zerosum.report.curves import Card
from zerosum.report.run_data import RunData

FAR = 2.0
"""Heights of a chart by which a threshold may lie beyond the curves and still be drawn."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A finding on the page."""

    title: str
    severity: str
    figure: str
    """Since when, by what measure and threshold, and how sure, in sentences."""

    meaning: str
    remedies: tuple[Remedy, ...]
    source: str
    card: Card | None
    """Its curves; None where nothing of them was measured."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The section on findings."""

    shown: list[Shown]
    none: str
    """What is said where there are none."""


def findings(evidence: RunData) -> Findings:
    """Diagnose a run from its history and settings."""
    found = diagnose(Evidence(history=evidence.history, facts=facts_of(evidence.about)))
    if not len(evidence.history):
        none = "Nothing was measured yet, so nothing can be found."
    else:
        none = "Nothing: no sign of failure was found in what was measured."
    return Findings(shown=[_shown(finding, evidence) for finding in found], none=none)


def _shown(finding: Finding, evidence: RunData) -> Shown:
    figure = (
        f"Since round {finding.since:,}. {_sentence_case(finding.measure)}: {text.number(finding.value)} (threshold "
        f"{text.number(finding.threshold)}). How sure: {finding.confidence}."
    )
    return Shown(
        title=finding.title,
        severity=finding.severity,
        figure=figure,
        meaning=finding.meaning,
        remedies=finding.remedies,
        source=finding.source,
        card=_card(finding, evidence),
    )


def _card(finding: Finding, evidence: RunData) -> Card | None:
    """Draw the curves of a finding, with the round it holds from and, unless it lies far off, its threshold."""
    lines = [Line(key, *evidence.history.series(key)) for key in finding.keys]
    lines = [line for line in lines if line.values]
    if not lines:
        return None
    low, high = limits_of([value for line in lines for value in line.values])
    reach, threshold = FAR * (high - low), finding.threshold
    near = low - reach <= threshold <= high + reach
    if near:
        air = 0.06 * (max(high, threshold) - min(low, threshold))
        low, high = min(low, threshold - air), max(high, threshold + air)
    first, last = min(line.rounds[0] for line in lines), max(line.rounds[-1] for line in lines)
    drawn = chart(
        lines,
        HALF,
        title=f"{finding.title} ({finding.sign})",
        limits=(low, high),
        reference=threshold if near else None,
        marks=[(finding.since, f"round {finding.since:,}")] if first <= finding.since <= last else [],
    )
    dashed = "; dashed across: the threshold" if near else ""
    return Card(f"{_sentence_case(finding.measure)}{dashed}", drawn, legend(lines))


def _sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]
