"""docs/results.md: what the benchmarks say, a question at a time, from the same JSON files as docs/benchmarks.md.

Texts hold no figures: those of tables and of sentences are selected or summed up from the saved results.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.tables import table

Row = Mapping[str, str]
Results = Mapping[str, Mapping[str, Any]]
HEAD = """# Results

What was measured, a question at a time. Every table is an extract: the link below it leads to all rows, with the
command that makes them, the machine and what to know before quoting them. Made by `python -m bench.results`; no
number is typed by hand.

| | |
|---|---|
| ![Digits](pictures/digits.png) | ![Clothing](pictures/fashion-mnist.png) |
| ![Landscapes](pictures/guides/photos-samples.png) | ![Shapes in space](pictures/shapes3d.png) |

(Digits and landscapes: the defaults, minutes of a CPU. Clothing: `dcgan`, of [whole runs](benchmarks.md#whole-runs).
Shapes: [shapes in space](volumes.md).)
"""


@dataclass(frozen=True)
class Extract:
    """Rows and columns of a saved result."""

    source: str
    columns: Mapping[str, str]
    """Columns, in their order, and what they are named here."""

    wanted: Callable[[Row], bool] = lambda row: True
    summed: Callable[[list[Row]], list[Row]] = list
    """Makes fewer rows of those wanted."""

    def text(self, results: Results) -> str:
        """Return the table, and where it comes from."""
        result = results[self.source]
        rows = self.summed([row for row in read(result["rows"]) if self.wanted(row)])
        if not rows:
            raise ValueError(f"No row of {self.source}.json is wanted.")
        laid = [list(self.columns.values()), *([row[name] for name in self.columns] for row in rows)]
        link = f"[All rows and how they were made](benchmarks.md#{anchor(result['title'])})"
        return f"{table(laid)}\n\n{link}: {result['date']}, {result['machine']}."


@dataclass(frozen=True)
class Question:
    """A part of the page."""

    title: str
    text: str
    extracts: Sequence[Extract]
    picture: str = ""


def read(rows: Sequence[Sequence[str]]) -> list[Row]:
    """Return rows by the names of their columns."""
    header, *body = rows
    return [dict(zip(header, row, strict=True)) for row in body]


def anchor(title: str) -> str:
    """Return the anchor that GitHub and MyST give a title."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def page(results: Results, questions: Sequence[Question]) -> str:
    """Return docs/results.md."""
    parts = [HEAD]
    for question in questions:
        pictures = [question.picture] if question.picture else []
        extracts = [extract.text(results) for extract in question.extracts]
        parts += [f"## {question.title}", *pictures, question.text.strip(), *extracts]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def over_seeds(rows: list[Row]) -> list[Row]:
    """Join rows of equal data and training: means over seeds, and the lowest and highest distance."""
    games: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        games.setdefault((row["data"], row["trained"]), []).append(row)
    return [_joined(same) for same in games.values()]


def _joined(same: list[Row]) -> Row:
    return {
        **same[0],
        "seeds": str(len(same)),
        "FID": spread([float(row["FID"]) for row in same]),
        "floor": f"{statistics.mean(float(row['floor']) for row in same):.1f}",
        "coverage": f"{statistics.mean(float(row['coverage']) for row in same):.2f}",
    }


def spread(values: Sequence[float]) -> str:
    """Spell the mean of some values, with the lowest and highest of several; nothing of none."""
    apart = f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{apart}" if values else ""


def by_minutes(rows: list[Row]) -> list[Row]:
    """Lay the distances after some minutes side by side: a row for each that was trained, the last of real images."""
    after: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        after.setdefault(row["trained by"], {}).setdefault(row["minutes"], []).append(float(row["FID-classifier"]))
    minutes = sorted({row["minutes"] for row in rows}, key=float)
    floors = {mark: {float(row["floor"]) for row in rows if row["minutes"] == mark} for mark in minutes}
    after["real images"] = {mark: list(values) for mark, values in floors.items()}
    return [
        {"trained by": name, **{f"{mark} minutes": spread(found.get(mark, [])) for mark in minutes}}
        for name, found in after.items()
    ]


def found_by_the_doctor(rows: list[Row]) -> list[Row]:
    """Count games by half and end, and those of which the doctor warned."""
    counted = []
    for half in ("judged", "tuned"):
        for ended, name in (("fails", "failed"), ("healthy", "did well")):
            games = [row for row in rows if row["half"] == half and row["ended"] == ended]
            warned = sum(bool(row["warned of"]) for row in games)
            counted.append({"half": half, "games": f"{len(games)} that {name}", "warned": f"{warned} of {len(games)}"})
    return counted


def saved_by_the_autopilot(rows: list[Row]) -> list[Row]:
    """Count failing games by how they ended with the autopilot."""
    ends = [(row["ended"], row["rescues"] != "0") for row in rows]
    healthy = sum(ended == "healthy" for ended, _ in ends)
    untouched = sum(ended != "healthy" and not acted for ended, acted in ends)
    return [
        {"ended": "healthy", "games": f"{healthy} of {len(rows)}"},
        {"ended": "failing, though it acted", "games": f"{len(rows) - healthy - untouched} of {len(rows)}"},
        {"ended": "failing, because nothing was found", "games": f"{untouched} of {len(rows)}"},
    ]


def one_of(column: str, *values: str) -> Callable[[Row], bool]:
    """Return whether a row has one of these values."""
    return lambda row: row[column] in values


def same(*names: str) -> dict[str, str]:
    """Name columns as they are named in the result."""
    return {name: name for name in names}


def best_upscaling(rows: list[Row]) -> list[Row]:
    """Return bicubic, and the best row by error alone and against a discriminator."""
    phases = [[row for row in rows if row["after"].endswith(end)] for end in ("pretrain", "adversarial")]
    return [rows[0], *(max(phase, key=lambda row: float(row["SSIM on Y"])) for phase in phases)]
