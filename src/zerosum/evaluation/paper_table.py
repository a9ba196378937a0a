"""Evaluations as a table for a paper: a row a method, runs that differ in their seed alone as mean and interval."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from zerosum.errors import InputError
from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.evaluation.table import sentences
from zerosum.metrics.bootstrap import mean_interval
from zerosum.run.directory import Run
from zerosum.text import number

Format = Literal["latex", "csv", "markdown"]
ARROWS = {"lower": "\\downarrow", "higher": "\\uparrow"}
SIGNS = {"lower": "↓", "higher": "↑"}


@dataclass(frozen=True)
class Cell:
    """A figure of a method: the mean over its runs, or the only run's value."""

    value: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval: Student's t over runs, else that of the only run's samples."""


@dataclass(frozen=True)
class Row:
    """A method."""

    name: str
    runs: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class PaperTable:
    """Methods by metrics."""

    metrics: tuple[MetricResult, ...]
    """Of the first run: titles, which way is better, and floors."""

    rows: tuple[Row, ...]
    remarks: tuple[str, ...]

    def text(self, form: Format) -> str:
        """Write it as `form`."""
        return {"latex": self._latex, "csv": self._csv, "markdown": self._markdown}[form]()

    def _markdown(self) -> str:
        head = ["method", "runs", *(f"{m.title} {SIGNS.get(m.better, '')}".strip() for m in self.metrics)]
        floors = ["real against real", "", *(_said(m.floor) for m in self.metrics)]
        body = [[_markdown(row.name), str(row.runs), *map(_spread, row.cells)] for row in self.rows]
        lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body, floors)]
        return "\n".join([*lines, "", *(f"- {remark}" for remark in self.remarks)]) + "\n"

    def _latex(self) -> str:
        head = " & ".join(["method", "runs", *(_latex_title(m) for m in self.metrics)])
        body = [" & ".join([_latex(row.name), str(row.runs), *map(_latex_cell, row.cells)]) for row in self.rows]
        floors = " & ".join(["real against real", "", *(_said(m.floor) for m in self.metrics)])
        columns = "l" + "r" * (1 + len(self.metrics))
        lines = ["\\toprule", rf"{head} \\", "\\midrule", *(rf"{row} \\" for row in body), "\\midrule", rf"{floors} \\"]
        remarks = "\n".join(f"% {' '.join(remark.split())}" for remark in self.remarks)
        table = [rf"\begin{{tabular}}{{{columns}}}", *lines, "\\bottomrule", "\\end{tabular}"]
        return "\n".join(["% needs \\usepackage{booktabs}", remarks, *table]) + "\n"

    def _csv(self) -> str:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", "runs", "metric", "better", "value", "low", "high", "real_against_real"])
        for row in self.rows:
            for metric, cell in zip(self.metrics, row.cells, strict=True):
                values = (cell.value, cell.low, cell.high, metric.floor)
                numbers = ["" if value is None else repr(value) for value in values]
                writer.writerow([row.name, row.runs, metric.title, metric.better, *numbers])
        return file.getvalue()


def paper_table(evaluations: Sequence[Evaluation]) -> PaperTable:
    """Group evaluations that may stand side by side into methods, in their order.

    Raises:
        InputError: they have no metric in common that was computed in the same way.
    """
    metrics = tuple(f for f in evaluations[0].figures if all(_same(f, each) for each in evaluations))
    if not metrics:
        names = " and ".join(evaluation.subject for evaluation in evaluations)
        raise InputError(f"{names} have no metric in common: evaluate them with the same --metrics.")
    methods: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        methods.setdefault(_method(evaluation), []).append(evaluation)
    rows = [Row(_name(runs, methods), len(runs), tuple(_cell(m, runs) for m in metrics)) for runs in methods.values()]
    repeated = any(row.runs > 1 for row in rows)
    over = "Runs that differ in their seed alone are one row: mean and 95 % interval over runs (Student's t)."
    within = "A row of one run has the interval of its samples, which says nothing on other seeds."
    told = [*([over] if repeated else []), *([within] if any(row.runs == 1 for row in rows) else [])]
    return PaperTable(metrics, tuple(rows), (*told, *sentences(evaluations[0].protocol)))


def _method(evaluation: Evaluation) -> str:
    """Return what runs of one method have in common: all that run.json says but the seed, and the rounds played."""
    about = _about(evaluation)
    if about is None:
        return evaluation.subject
    training = {name: value for name, value in (about.get("training") or {}).items() if name != "seed"}
    parts = [about.get("recipe"), about.get("config"), training, about.get("data_options"), about.get("spec")]
    return json.dumps([*parts, (about.get("data") or {}).get("fingerprint"), evaluation.round], sort_keys=True)


def _about(evaluation: Evaluation) -> dict[str, Any] | None:
    """Return run.json of an evaluated run; None for what is no run."""
    if evaluation.round is None or not (Path(evaluation.subject) / "run.json").is_file():
        return None
    return Run.open(evaluation.subject).description


def _name(runs: Sequence[Evaluation], methods: dict[str, list[Evaluation]]) -> str:
    """Name a method by its recipe, where no other has the same; else by its first run."""
    recipes = [(_about(others[0]) or {}).get("recipe") for others in methods.values()]
    recipe = (_about(runs[0]) or {}).get("recipe")
    if isinstance(recipe, str) and recipes.count(recipe) == 1:
        return recipe
    return Path(runs[0].subject).name or runs[0].subject


def _cell(metric: MetricResult, runs: Sequence[Evaluation]) -> Cell:
    figures = [_same(metric, run) for run in runs]
    values = [figure.value for figure in figures if figure is not None and figure.value is not None]
    if len(values) < len(runs):
        return Cell(None, None, None)
    if len(values) == 1:
        found = figures[0].interval if figures[0] is not None else None
        return Cell(values[0], found and found.low, found and found.high)
    spread = mean_interval(values)
    known = next((figure.interval for figure in figures if figure is not None and figure.interval is not None), None)
    if known is not None:  # Student's interval knows no limits: that of a share of three runs may pass 1
        spread = spread.limited(known.limits)
    return Cell(fmean(values), spread.low, spread.high)


def _same(metric: MetricResult, evaluation: Evaluation) -> MetricResult | None:
    key = (metric.metric, metric.title, metric.settings)
    return next((f for f in evaluation.figures if (f.metric, f.title, f.settings) == key), None)


def _said(value: float | None) -> str:
    return "-" if value is None else number(value)


def _spread(cell: Cell) -> str:
    return _said(cell.value) + ("" if cell.low is None else f" ({_said(cell.low)} to {_said(cell.high)})")


def _latex_cell(cell: Cell) -> str:
    return _said(cell.value) + ("" if cell.low is None else f" {{\\small [{_said(cell.low)}, {_said(cell.high)}]}}")


def _latex_title(metric: MetricResult) -> str:
    arrow = ARROWS.get(metric.better)
    return _latex(metric.title) + (f" ${arrow}$" if arrow else "")


def _latex(text: str) -> str:
    """Escape what LaTeX reads as more than a letter."""
    named = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(named.get(letter, f"\\{letter}" if letter in "&%$#_{}" else letter) for letter in text)


def _markdown(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
