"""Groups of metrics computed in one pass over a comparison, and the usual way to: value, floor, interval."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.bootstrap import Interval, bootstrap, share_interval

WORK = 1e11
"""Multiplications that all draws of a bootstrap may take together: half a minute on one core."""

MOST, LEAST = 200, 20
"""Draws of a bootstrap."""

TOO_MUCH = "it has no interval, for resampling so many samples would take hours; a smaller --count has one."

SPLITS = 10

Values = Mapping[str, float]
Limits = tuple[float, float]
"""The least and the largest value that a metric can have."""

SHARE: Limits = (0.0, 1.0)
POSITIVE: Limits = (0.0, math.inf)

Compute = Callable[[SampleSet, SampleSet], Values]
"""Metrics by name of samples (second) against real ones (first)."""

Resample = Callable[[Callable[[Tensor], float]], Interval]
"""Makes the interval of a metric on the generated samples of given rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricGroup:
    """Metrics that come together.

    What it takes to add one: a `MetricGroup` with a name for each metric, in the list of `measures/__init__.py`.
    """

    names: Mapping[str, Better]
    """What each metric is asked for by, and which way is better."""

    unavailable: Callable[[Comparison], str | None]
    """Why the metrics are unavailable for a comparison, and what to type: the end of "is unavailable: ..."."""

    compute: Callable[[Comparison], Sequence[MetricResult]]
    """Takes all the metrics, with floors and intervals where they have a meaning."""

    quick: Callable[[Comparison], Values] | None = None
    """Takes the values alone, quickly, for curves during training; None where that takes too long."""

    cost: Literal["seconds", "minutes"] = "seconds"
    """What takes minutes is taken only where it is asked for."""

    blind: str = ""
    """What the metrics do not react to, or react to the wrong way: a sentence that stands beside them."""


def with_floor_and_interval(
    comparison: Comparison,
    names: Mapping[str, Better],
    compute: Compute,
    *,
    on_rows: Callable[[Tensor], Values] | None = None,
    titles: Mapping[str, str] | None = None,
    settings: str = "",
    interval: Resample | None,
    limits: Mapping[str, Limits] | None = None,
    proportions: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> list[MetricResult]:
    """Judge samples by a function of two sides, and real samples by the same.

    Args:
        comparison: what to judge.
        names: of the metrics that `compute` gives.
        compute: takes the metrics.
        on_rows: gives the same as `compute` of the generated samples of given rows, where that is faster.
        titles: of metrics that are printed under another name.
        settings: how they are taken.
        interval: makes intervals; None where that would take too long.
        limits: of metrics that have a least or a largest value, which no interval passes.
        proportions: metrics that count generated samples one by one, whose interval is Wilson's at any number of them.
        notes: sentences that belong beside the metrics.
    """
    values, floors = compute(comparison.real, comparison.fake), compute(comparison.real, comparison.reference.other)
    resampled = remembered(on_rows or (lambda rows: compute(comparison.real, comparison.fake.take(rows))))
    found, counts = [], (len(comparison.real), len(comparison.fake))

    def spread(name: str) -> Interval | None:
        if name in proportions:
            return share_interval(values[name], len(comparison.fake))
        taken = interval(partial(_one, resampled, name)) if interval else None
        return taken and within(taken, values[name], (limits or {}).get(name), count=min(counts))

    for name, better in names.items():
        figure = MetricResult(
            metric=name,
            title=(titles or {}).get(name, name),
            value=finite(values[name]),
            better=better,
            settings=settings,
            floor=finite(floors[name]),
            interval=spread(name),
            notes=tuple(notes) if interval or name in proportions else (*notes, TOO_MUCH),
        )
        found.append(figure)
    return found


def by_bootstrap(comparison: Comparison, *, work: float) -> Resample | None:
    """Make intervals by drawing generated samples with replacement, as often as it can be afforded, if it can at all.

    Args:
        comparison: what is judged.
        work: multiplications of one draw, about.
    """
    if work > 10 * WORK:
        return None
    draws = int(min(max(WORK / work, LEAST), MOST))

    def interval(metric: Callable[[Tensor], float]) -> Interval:
        found = bootstrap(metric, len(comparison.fake), seed=comparison.protocol.seed, draws=draws)
        return replace(found, method=f"{found.method} of the generated samples")

    return interval


def remembered(compute: Callable[[Tensor], Values]) -> Callable[[Tensor], Values]:
    """Compute all metrics of a group on the same rows once: their intervals resample alike."""
    known: dict[bytes, Values] = {}

    def values(rows: Tensor) -> Values:
        key = hashlib.blake2b(rows.numpy().tobytes(), digest_size=16).digest()
        if key not in known:
            known[key] = compute(rows)
        return known[key]

    return values


def always(comparison: Comparison) -> None:
    """Nothing is missing."""


def needs_opinion(comparison: Comparison) -> str | None:
    """Say what to do where the extractor does not classify."""
    if comparison.classifies:
        return None
    name = comparison.protocol.extractor
    return f"the features {name} come without a classifier's opinion; use --features classifier or inception"


def inception_title(name: str, extractor: str, frechet: str = "FID") -> str:
    """Name a distance for print: by the bare name with the full Inception network alone.

    Args:
        name: such as FID-infinity.
        extractor: name of the features.
        frechet: what FID is called of this kind of sample.

    >>> [inception_title("FID", name) for name in ("inception", "inception-768")]
    ['FID', 'FID-inception-768']
    """
    name = name.replace("FID", frechet)
    return name if extractor == "inception" else f"{name}-{extractor}"


def within(interval: Interval, value: float, limits: Limits | None, *, count: int) -> Interval:
    """Keep an interval within what a metric can be, and give it a width where a share is 0 or 1 in every draw.

    Args:
        interval: of the metric.
        value: of the metric on all samples.
        limits: the least and the largest value that it can have.
        count: samples that a share is of, at least.

    >>> from zerosum.metrics.bootstrap import Interval
    >>> found = within(Interval(-0.1, 0.2, 0.95, 0.1, ""), 0.1, POSITIVE, count=10)
    >>> found.low, found.high
    (0.0, 0.2)
    """
    if limits is None:
        return interval
    if limits == SHARE and value in SHARE and interval.low == interval.high:
        return share_interval(value, count, level=interval.level)
    return interval.limited((finite(limits[0]), finite(limits[1])))


def _one(on_rows: Callable[[Tensor], Values], name: str, rows: Tensor) -> float:
    return on_rows(rows)[name]


def shuffled(count: int, seed: int) -> Tensor:
    """Return the numbers from 0 to count - 1 in an order that the seed decides: (count,), int64."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
