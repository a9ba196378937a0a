"""Figures of single classes: how they are named among an evaluation's, and their table."""

from __future__ import annotations

from collections.abc import Sequence

from zerosum.evaluation.result import MetricResult
from zerosum.text import number, one_line

MARK = ":"
"""Between a metric and a class in the name of a figure."""


def of_classes(figures: Sequence[MetricResult]) -> list[MetricResult]:
    """Return the figures that are of one class each."""
    return [figure for figure in figures if MARK in figure.metric]


def of_all(figures: Sequence[MetricResult]) -> list[MetricResult]:
    """Return the figures that are of all samples together."""
    return [figure for figure in figures if MARK not in figure.metric]


def title_of(title: str, name: str) -> str:
    """Name the figure of a class in print."""
    return f"{title} of {name}"


def class_rows(figures: Sequence[MetricResult]) -> list[tuple[str, ...]]:
    """Return the table of the figures of single classes: its head, then a row a class; nothing where there are none.

    Cells hold the value, its interval where it has one, and what real samples get against other real ones in brackets.
    """
    rows: dict[str, dict[str, str]] = {}
    for figure in of_classes(figures):
        name = figure.metric.partition(MARK)[2]
        title = figure.title.removesuffix(title_of("", name))
        value, floor = (number(v) if v is not None else "-" for v in (figure.value, figure.floor))
        spread = f", {number(figure.interval.low)} to {number(figure.interval.high)}" if figure.interval else ""
        rows.setdefault(name, {"samples": figure.settings})[f"{title} ({figure.better})"] = f"{value}{spread} ({floor})"
    if not rows:
        return []
    head = next(iter(rows.values())).keys()
    return [("class", *head), *((one_line(name), *cells.values()) for name, cells in rows.items())]
