"""How good the run is: its evaluation with floors and intervals, and the figures taken while it was trained."""

from __future__ import annotations

from typing import Any

from zerosum import text
from zerosum.report.curves import FIGURES, figures, small
from zerosum.report.html import Markup, tag
from zerosum.report.run_data import RunData

HEAD = ("metric", "value", "real against real", "95 % interval", "better")


def quality(evidence: RunData) -> Markup:
    """Write the section on quality; nothing where nothing was evaluated."""
    parts = [*_table(evidence.evaluation), *_curves(evidence)]
    return tag("section", {}, tag("h2", {}, "How good is it?"), *parts) if parts else Markup()


def _table(evaluation: dict[str, Any]) -> list[Markup]:
    """Show figures beside what real samples get, and under which protocol; nothing of a file that was edited."""
    try:
        rows = [_row(figure) for figure in evaluation["figures"]]
        sentences = _protocol(evaluation["protocol"], evaluation["round"])
        notes = [str(note) for note in evaluation["notes"]]
        notes += _warnings(evaluation["figures"])
    except (KeyError, TypeError, ValueError):
        return []
    head = tag("tr", {}, *(tag("th", {}, name) for name in HEAD))
    told = [tag("li", {}, sentence) for sentence in (*sentences, *notes)]
    return [
        tag("div", {"class": "card"}, tag("table", {}, head, *rows)),
        tag("ul", {"class": "soft"}, *told),
    ]


def _warnings(figures: list[dict[str, Any]]) -> list[str]:
    """Return the notes of figures, each once, under the titles that it is a note on."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        for note in figure["notes"]:
            told.setdefault(str(note), []).append(str(figure["title"]))
    return [f"{', '.join(titles)}: {note}" for note, titles in told.items()]


def _row(figure: dict[str, Any]) -> Markup:
    interval = figure["interval"]
    spread = "" if interval is None else f"{_said(interval['low'])} to {_said(interval['high'])}"
    cells = (_said(figure["value"]), _said(figure["floor"]), spread, str(figure["better"]))
    settings = {"title": str(figure["settings"])} if figure["settings"] else {}
    return tag("tr", {}, tag("th", settings, str(figure["title"])), *(tag("td", {}, cell) for cell in cells))


def _protocol(protocol: dict[str, Any], round_: int) -> tuple[str, ...]:
    return (
        f"After round {round_:,}: {protocol['fake']:,} samples of {protocol['size']} against {protocol['real']:,} real "
        f"ones of {protocol['data']}, split {protocol['split']}; seed {protocol['seed']}.",
        f"Features {protocol['extractor']}: {protocol['sees']}",
        f"Real against real: as many real samples ({protocol['against']}) in the place of the generated ones.",
        f"Sizes of images: {protocol['resizer']}.",
    )


def _curves(evidence: RunData) -> list[Markup]:
    keys = figures(evidence)
    if not keys:
        return []
    count = evidence.section("training").get("evaluate_count")
    best = evidence.section("training").get("best")
    said = f"Taken during training, with {count} samples on each side where the data have them, without intervals"
    chosen = f"; checkpoints/best is the best by {best}." if best else "."
    shares = {f"{FIGURES}{name}" for name in ("precision", "recall", "coverage", "high-quality")}
    charts = (small(evidence, key, limits=(0, 1) if key in shares else None) for key in keys)
    drawn = tag("div", {"class": "small"}, *charts)
    return [tag("p", {"class": "soft"}, said + chosen), drawn]


def _said(value: float | None) -> str:
    return "-" if value is None else text.number(float(value))
