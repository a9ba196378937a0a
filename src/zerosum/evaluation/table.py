"""Evaluations as tables for a person: plain columns, or ruled and coloured ones on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from zerosum import words
from zerosum.evaluation.figure import Evaluation, Figure, warnings
from zerosum.evaluation.protocol import Protocol

HEAD = ("metric", "value", "real against real", "interval", "better")


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return a row a figure: title, value, floor, interval, which way is better."""
    return [
        (figure.title, spoken(figure.value), spoken(figure.floor), interval_of(figure), figure.better)
        for figure in figures
    ]


def interval_of(figure: Figure) -> str:
    """Say the interval of a figure, or nothing."""
    found = figure.interval
    return "" if found is None else f"{spoken(found.low)} to {spoken(found.high)}"


def spoken(value: float | None) -> str:
    """Say a value; a dash stands for none."""
    return "-" if value is None else words.number(value)


def sentences(protocol: Protocol) -> list[str]:
    """Say under which protocol the numbers stand, and how to read them."""
    return [
        f"{protocol.fake:,} samples of {protocol.size} against {protocol.real:,} real ones: {protocol.data}, split "
        f"{protocol.split}. Seed {protocol.seed}.",
        f"Features {protocol.extractor}: {protocol.sees}",
        f"Sizes of images: {protocol.resizer}.",
        f"Real against real: as many real samples ({protocol.against}) in the place of the generated ones: "
        "no generator can be told to be better than that.",
    ]


def how(figures: Sequence[Figure]) -> list[str]:
    """Say how each figure and its interval were taken, those of the same kind together."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        found = figure.interval
        taken = "" if found is None else f"{found.level:.0%} interval: {found.method}".replace("%", " %")
        said = "; ".join(part for part in (figure.settings, taken) if part)
        told.setdefault(said, []).append(figure.title)
    return [f"{', '.join(titles)}: {said}." for said, titles in told.items() if said]


def text(evaluation: Evaluation) -> str:
    """Write an evaluation in plain columns."""
    return "\n".join(
        [title(evaluation), "", *columns(HEAD, rows(evaluation.figures)), "", *remarks(evaluation)],
    )


def remarks(evaluation: Evaluation) -> list[str]:
    """Say how the numbers were taken, and what to know of them."""
    notes = (*warnings(evaluation.figures), *evaluation.notes)
    return [*sentences(evaluation.protocol), *how(evaluation.figures), *(f"Note: {note}" for note in notes)]


def title(evaluation: Evaluation) -> str:
    """Name what was evaluated."""
    played = "" if evaluation.round is None else f" after round {evaluation.round:,}"
    return f"{evaluation.subject}{played}"


def columns(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Write rows in columns as wide as they need to be.

    >>> columns(("metric", "value"), [("FID-pixels", "3.1")])
    ['metric      value', 'FID-pixels  3.1']
    """
    lines = [head, *body]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def show(head: Sequence[str], body: Sequence[Sequence[str]], *, caption: str) -> None:
    """Print a table on a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(caption), title_justify="left", box=box.SIMPLE_HEAD)
    for place, name in enumerate(head):
        table.add_column(name, style="bold" if place == 1 else "")
    for row in body:
        table.add_row(*map(Text, row))
    Console().print(table)
