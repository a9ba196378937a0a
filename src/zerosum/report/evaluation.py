"""The section on quality: the evaluation with floors and intervals, and figures measured during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerosum import text
from zerosum.report.curves import FIGURES, Card, figures, small
from zerosum.report.run_data import RunData


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure in the table."""

    title: str
    settings: str
    cells: tuple[str, ...]
    """Value, that of real samples, interval, and which direction is better."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The section on quality."""

    verdict: list[str]
    """How good it is in plain words, a sentence each."""

    rows: list[Row]
    notes: list[str]
    """Under which protocol the rows were measured, and what to keep in mind."""

    cards: list[Card]
    """Figures taken during training."""

    during: str
    """How those were taken."""


def quality(evidence: RunData) -> Quality:
    """Gather the section on quality; rows and cards are empty where nothing was evaluated."""
    rows, notes = _table(evidence.evaluation)
    said = evidence.evaluation.get("verdict")
    verdict = list(map(str, said)) if rows and isinstance(said, list) else []
    shares = {f"{FIGURES}{name}" for name in ("precision", "recall", "coverage", "high-quality")}
    cards = [small(evidence, key, limits=(0, 1) if key in shares else None) for key in figures(evidence)]
    return Quality(verdict=verdict, rows=rows, notes=notes, cards=cards, during=_during(evidence))


def _table(evaluation: dict[str, Any]) -> tuple[list[Row], list[str]]:
    """Show figures beside what real samples get, and under which protocol; nothing of a file that was edited."""
    try:
        rows = [_row(figure) for figure in evaluation["figures"]]
        notes = [*_protocol(evaluation["protocol"], evaluation["round"]), *map(str, evaluation["notes"])]
        return rows, notes + _warnings(evaluation["figures"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return [], []


def _warnings(figures: list[dict[str, Any]]) -> list[str]:
    """Return the notes of figures, each once, under the titles that it is a note on."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        for note in figure["notes"]:
            told.setdefault(str(note), []).append(str(figure["title"]))
    return [f"{', '.join(titles)}: {note}" for note, titles in told.items()]


def _row(figure: dict[str, Any]) -> Row:
    interval = figure["interval"]
    spread = "" if interval is None else f"{_said(interval['low'])} to {_said(interval['high'])}"
    return Row(
        title=str(figure["title"]),
        settings=str(figure["settings"] or ""),
        cells=(_said(figure["value"]), _said(figure["floor"]), spread, str(figure["better"])),
    )


def _protocol(protocol: dict[str, Any], round_: int) -> tuple[str, ...]:
    floor = protocol.get("floor")
    many = "as many" if floor is None or floor == protocol["fake"] else f"{floor:,}"
    return (
        f"After round {round_:,}: {protocol['fake']:,} samples of {protocol['size']} against {protocol['real']:,} real "
        f"ones of {protocol['data']}, split {protocol['split']}; seed {protocol['seed']}.",
        f"Features {protocol['extractor']}: {protocol['sees']}",
        f"Real against real: {many} real samples ({protocol['against']}) in the place of the generated ones.",
        *([] if protocol["resizer"].startswith("none") else [f"Sizes of images: {protocol['resizer']}."]),
    )


def _during(evidence: RunData) -> str:
    count = evidence.section("training").get("evaluate_count")
    best = evidence.section("training").get("best")
    said = f"Taken during training, with {count} samples on each side where the data have them, without intervals"
    return said + (f"; checkpoints/best is the best by {best}." if best else ".")


def _said(value: float | None) -> str:
    return "-" if value is None else text.number(float(value))
