"""Evaluations and comparisons as tables, for a terminal or as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zerosum.errors import InputError
from zerosum.evaluation.best import best_value, unlike
from zerosum.evaluation.class_table import class_rows, of_all
from zerosum.evaluation.measures import blind_spots
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import FILE, Evaluation, MetricResult
from zerosum.text import command, counted, number, one_line

BEST = "*"


def find(place: str | Path) -> Evaluation:
    """Read the evaluation of a run, or one that was written to a file.

    Raises:
        InputError: There is none; the sentence says how to make it.
    """
    path = Path(place)
    if not path.exists():
        raise InputError(f"There is no run at {path}: give folders that `zerosum train` made, or evaluations in .json.")
    if path.is_file():
        return Evaluation.read(path)
    if not (path / FILE).exists():
        again = command("zerosum", "evaluate", path)
        if not (path / "run.json").exists():
            raise InputError(f"{path} is no run: `{again} --against DATA --out FILE.json` writes what compare takes.")
        raise InputError(f"{path} was not evaluated yet: {again}")
    return replace(Evaluation.read(path / FILE), subject=str(place))


def require_comparable(evaluations: Sequence[Evaluation]) -> None:
    """See that all were made under one protocol.

    Raises:
        InputError: Two were not; the sentence says in what they differ and what to type.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        differing = first.protocol.differences(other.protocol)
        if differing:
            # A run makes a size of its own; images in a folder are brought to one.
            size = first.protocol.size.partition("x")[2] if other.round is None else ""
            again = first.protocol.command(other.subject, size=size or None)
            raise InputError(
                f"{first.subject} and {other.subject} cannot be compared, because they differ in "
                f"{'; in '.join(differing)}: evaluate one like the other, by {again}"
            )


def head(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """Return the heads of the table's columns."""
    return ("metric", "better", "real against real", *(_name(evaluation) for evaluation in evaluations))


def body(evaluations: Sequence[Evaluation]) -> list[tuple[str, ...]]:
    """Return a row a metric that all have, taken the same way; the best value carries a star, if they are alike.

    Raises:
        InputError: There is no such metric.
    """
    found: list[tuple[str, ...]] = []
    reasons = unlike(evaluations)
    for figure in evaluations[0].figures:
        like = [_same(figure, evaluation) for evaluation in evaluations]
        if None in like:
            continue
        best = None if reasons else best_value([each for each in like if each is not None])
        cells = (_cell(each, best) for each in like if each is not None)
        floors = dict.fromkeys(spoken(each.floor) for each in like if each is not None)
        found.append((figure.title, figure.better, " / ".join(floors), *cells))
    if not found:
        names = " and ".join(evaluation.subject for evaluation in evaluations)
        raise InputError(f"{names} have no metric in common: evaluate them with the same --metrics.")
    return found


def comparison_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Write the table in plain columns."""
    return [*columns(head(evaluations), body(evaluations)), "", *comparison_remarks(evaluations)]


def comparison_remarks(evaluations: Sequence[Evaluation]) -> list[str]:
    """Say under which protocol the table stands, what the star means, and what was left out."""
    star = unlike(evaluations) or [f"{BEST} the best; where intervals overlap, that may be chance."]
    verdicts = [f"{_name(each)}: {' '.join(each.verdict)}" for each in evaluations if each.verdict]
    shown = [figure.metric for figure in evaluations[0].figures if all(_same(figure, each) for each in evaluations)]
    known = dict.fromkeys(figure.title for each in evaluations for figure in each.figures if figure.metric not in shown)
    left = [f"Not taken of all of them in the same way, and left out: {', '.join(known)}."] if known else []
    return [*verdicts, *star, *sentences(evaluations[0].protocol), *left]


def _same(figure: MetricResult, evaluation: Evaluation) -> MetricResult | None:
    """Find the figure of another evaluation that was taken the same way."""
    return next(
        (
            f
            for f in evaluation.figures
            if (f.metric, f.title, f.settings) == (figure.metric, figure.title, figure.settings)
        ),
        None,
    )


def _cell(figure: MetricResult, best: float | None) -> str:
    star = BEST if figure.value is not None and figure.value == best else ""
    spread = interval_of(figure)
    return f"{spoken(figure.value)}{star}" + (f" ({spread})" if spread else "")


def _name(evaluation: Evaluation) -> str:
    name = Path(evaluation.subject).name or evaluation.subject
    return name if evaluation.round is None else f"{name}, round {evaluation.round:,}"


HEAD = ("metric", "value", "real against real", "interval", "better")


def rows(figures: Sequence[MetricResult]) -> list[tuple[str, ...]]:
    """Return a row a figure: title, value, floor, interval, which way is better."""
    return [
        (figure.title, spoken(figure.value), spoken(figure.floor), interval_of(figure), figure.better)
        for figure in figures
    ]


def interval_of(figure: MetricResult) -> str:
    """Say the interval of a figure, or nothing."""
    found = figure.interval
    return "" if found is None else f"{spoken(found.low)} to {spoken(found.high)}"


def spoken(value: float | None) -> str:
    """Say a value; a dash stands for none."""
    return "-" if value is None else number(value)


def sentences(protocol: Protocol) -> list[str]:
    """Say under which protocol the numbers stand, and how to read them."""
    return [
        f"{counted(protocol.fake, 'sample')} of {protocol.size} against {protocol.real:,} real ones: {protocol.data}, "
        f"split {protocol.split}. Seed {protocol.seed}.",
        f"Features {protocol.extractor}: {protocol.sees}",
        *([] if protocol.resizer.startswith("none") else [f"Sizes of images: {protocol.resizer}."]),
        f"Real against real: {_as_many(protocol)} real samples ({protocol.against}) in the place of the generated "
        "ones: no generator can be shown to be better than that.",
    ]


def _as_many(protocol: Protocol) -> str:
    alike = protocol.floor is None or protocol.floor == protocol.fake
    return "as many" if alike else f"{protocol.floor:,}"


def how(figures: Sequence[MetricResult]) -> list[str]:
    """Say how each figure and its interval were taken, those of the same kind together."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        found = figure.interval
        taken = "" if found is None else f"{found.level:.0%} interval: {found.method}".replace("%", " %")
        said = "; ".join(part for part in (figure.settings, taken) if part)
        told.setdefault(said, []).append(figure.title)
    return [f"{', '.join(titles)}: {said}." for said, titles in told.items() if said]


def evaluation_lines(evaluation: Evaluation) -> list[str]:
    """Write an evaluation in plain columns."""
    return [
        title(evaluation),
        *evaluation.verdict,
        "",
        *columns(HEAD, rows(of_all(evaluation.figures))),
        "",
        *class_lines(evaluation),
        *evaluation_remarks(evaluation),
    ]


def class_lines(evaluation: Evaluation) -> list[str]:
    """Write the figures of single classes in plain columns, under a line that explains them; nothing without any."""
    if not (found := class_rows(evaluation.figures)):
        return []
    return ["Per class (in brackets real samples of it against others):", *columns(found[0], found[1:]), ""]


def evaluation_remarks(evaluation: Evaluation) -> list[str]:
    """Say how the numbers were taken, and what to know of them."""
    notes = (*warnings(evaluation.figures), *evaluation.notes)
    blind = blind_spots([figure.metric for figure in evaluation.figures])
    return [
        *sentences(evaluation.protocol),
        *how(of_all(evaluation.figures)),
        *([f"What they cannot say: {'; '.join(blind)}."] if blind else []),
        *(f"Note: {note}" for note in notes),
    ]


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

    table = Table(title=Text(one_line(caption)), title_justify="left", box=box.SIMPLE_HEAD)
    for place, name in enumerate(head):
        table.add_column(name, style="bold" if place == 1 else "")
    for row in body:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console().print(table)


def warnings(figures: Sequence[MetricResult]) -> list[str]:
    """Return the notes of figures, each once, under the titles that it is a note on."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        for note in figure.notes:
            told.setdefault(note, []).append(figure.title)
    return [f"{', '.join(titles)}: {note}" for note, titles in told.items()]
