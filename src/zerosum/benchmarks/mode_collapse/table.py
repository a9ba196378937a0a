"""The results of the mode-collapse benchmark, beside what a perfect sampler gets and what papers report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zerosum.benchmarks.mode_collapse import published
from zerosum.benchmarks.mode_collapse.experiment import Experiment
from zerosum.benchmarks.mode_collapse.mode_counter import ModeCounter
from zerosum.benchmarks.mode_collapse.protocols import RADIUS, Protocol
from zerosum.benchmarks.mode_collapse.published import Number
from zerosum.config import flag
from zerosum.metrics.modes import ceiling
from zerosum.run.config import RunConfig
from zerosum.runtime import device
from zerosum.text import counted


@dataclass(frozen=True, kw_only=True)
class Table:
    """What came of one data set."""

    data: str
    title: str
    rows: list[list[str]]
    """As they are printed, the header first."""
    remarks: list[str]
    """How to read them, a sentence or two each."""
    runs: list[dict[str, Any]]
    """What each finished run came to, and where it lies under the benchmark's folder."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """What came of a benchmark."""

    protocol: str
    tables: list[Table]
    finished: bool
    """Whether all runs that were asked for are in it."""

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {**asdict(self), "machine": device.describe()}


def table(protocol: Protocol, trials: Sequence[Experiment], judge: ModeCounter) -> Table:
    """Set out the trials of one data set that have a result: a row for each variant, then what to compare it with."""
    done = [(one, one.result) for one in trials if one.result is not None]
    header = ["method", f"modes of {protocol.modes:,}", "high quality %", "reverse KL", "runs", "source"]
    rows = [header]
    for variant in dict.fromkeys(one.variant.name for one in trials):
        found = [result for one, result in done if one.variant.name == variant]
        rounds = next(one.plan.config.rounds for one in trials if one.variant.name == variant)
        if found:
            rows.append(_ours(protocol, variant, found, f"here, {counted(rounds, 'round')}"))
    rows += [_perfect(protocol), *([] if judge.real is None else [_real(judge)])]
    for row in published.rows(protocol.name, protocol.data):
        source = row.source + (" *" if row.recalled else "")
        cells = [_number(row.modes, 1), _number(row.high_quality, 1), _number(row.divergence, 2)]
        rows.append([row.method, *cells, "", source])
    return Table(
        data=protocol.data,
        title=f"{protocol.data}, protocol {protocol.name}, {protocol.samples:,} samples",
        rows=rows,
        remarks=_remarks(protocol, trials, judge),
        runs=[{"run": str(Path(*one.path.parts[-3:])), **result} for one, result in done],
    )


def mean(values: Sequence[float], digits: int) -> str:
    """Say a mean with its standard error, which takes two values or more.

    >>> mean([6, 8], 1), mean([7], 1), mean([], 1)
    ('7.0 ± 1.0', '7.0', '')
    """
    if not values:
        return ""
    middle = f"{statistics.fmean(values):.{digits}f}"
    if len(values) < 2:
        return middle
    return f"{middle} ± {statistics.stdev(values) / len(values) ** 0.5:.{digits}f}"


def markdown(results: Results) -> str:
    """Write results as a Markdown page."""
    parts = ["# Mode collapse", ""]
    for one in results.tables:
        header, *body = ["| " + " | ".join(row) + " |" for row in one.rows]
        parts += [f"## {one.title}", "", header, "|" + "---|" * len(one.rows[0]), *body, ""]
        parts += [*(f"- {remark}" for remark in one.remarks), ""]
    return "\n".join(parts)


def _ours(protocol: Protocol, variant: str, found: Sequence[dict[str, Any]], source: str) -> list[str]:
    counted = [result for result in found if "diverged" not in result]
    runs = str(len(found)) if len(counted) == len(found) else f"{len(found)}, {len(found) - len(counted)} diverged"
    divergences = [result["divergence"] for result in counted if result["divergence"] is not None]
    divergence = mean(divergences, 3)
    if 0 < len(divergences) < len(counted):
        divergence = f"{divergence} (of {len(divergences)})"
    quality = mean([100 * result["high_quality"] for result in counted], 1)
    modes = mean([result["modes"] for result in counted], 1)
    return [variant, modes, "" if protocol.data == "stacked-mnist" else quality, divergence, runs, source]


def _perfect(protocol: Protocol) -> list[str]:
    stacked = protocol.data == "stacked-mnist"
    best = ceiling(protocol.modes, protocol.samples) if stacked else ceiling(
        protocol.modes, protocol.samples, within=RADIUS
    )  # fmt: skip
    quality = "" if stacked else f"{100 * best.high_quality:.1f}"
    return ["a perfect sampler", f"{best.found:.1f}", quality, f"{best.divergence:.4f}", "", "computed"]


def _real(judge: ModeCounter) -> list[str]:
    assert judge.real is not None
    return ["real data, held out", f"{judge.real.found:.1f}", "", f"{judge.real.divergence:.4f}", "", "measured here"]


def _number(value: Number, digits: int) -> str:
    """Say a published number with all its digits, and at least so many decimals."""
    if value is None:
        return ""
    parts = value if isinstance(value, tuple) else (value,)
    return " ± ".join(f"{part:.{max(digits, len(f'{part:g}'.partition('.')[2]))}f}" for part in parts)


def _remarks(protocol: Protocol, trials: Sequence[Experiment], judge: ModeCounter) -> list[str]:
    """Say by what protocol, with what settings, and what the numbers cannot be held to."""
    first = {one.variant.name: one.plan for one in reversed(trials)}
    settings = [
        f"{name}: `"
        + " ".join(_typed(key, value) for key, value in _settings(plan).items() if value not in (None, False))
        + "`"
        for name, plan in reversed(first.items())
    ]
    rounds = sorted({plan.config.rounds for plan in first.values()})
    played = " or ".join(f"{count:,}" for count in rounds)
    known = published.rows(protocol.name, protocol.data)
    papers = dict.fromkeys(row.source.partition(",")[0] for row in known)
    recalled = any(row.recalled for row in known)
    return [
        *protocol.remarks,
        f"Rounds: {played} here; published: {protocol.published}.",
        *judge.remarks,
        "Ours are means over runs with the standard error; a perfect sampler is what independent draws of the true "
        "distribution get on average: more than its share of high quality means samples that keep too near to the "
        "centres, and differences of its reverse KL are noise.",
        f"Published: {'; '.join(f'{name} is {published.PAPERS[name]}' for name in papers)}.",
        *(["*: recalled, that is quoted from memory and not checked against the paper."] if recalled else []),
        *settings,
    ]


def _settings(plan: RunConfig) -> dict[str, Any]:
    return plan.config.to_json() | {"stabilise": plan.training.stabilise}


def _typed(name: str, value: Any) -> str:
    return flag(name) if value is True else f"{flag(name)} {_said(value)}"


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
