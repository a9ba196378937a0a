"""How many samples repeat each other: what a collapsed generator makes, whatever it shows."""

from __future__ import annotations

from torch import Tensor

from zerosum.evaluation.measures.base import MetricGroup
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.bootstrap import share_interval
from zerosum.metrics.pairwise_distances import neighbour_radii, prepare

DUPLICATES: dict[str, Better] = {"duplicates": "lower"}

NEAR = 0.1
"""Share of the usual distance between a real sample and its nearest other one, below which two samples are alike."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=DUPLICATES,
            unavailable=_too_few,
            compute=_compute,
            blind="duplicates do not react to what samples show, nor to variations of one and the same thing",
        ),
    )


def _too_few(comparison: Comparison) -> str | None:
    least = min(len(comparison.real), len(comparison.fake), len(comparison.reference.other))
    return None if least > 1 else "it takes two samples on each side; give a larger --count"


def _compute(comparison: Comparison) -> list[MetricResult]:
    near = NEAR * float(_nearest(comparison.real).median())
    value, floor = (_share(side, near) for side in (comparison.fake, comparison.reference.other))
    figure = MetricResult(
        metric="duplicates",
        title="duplicates",
        value=finite(value),
        better="lower",
        settings=f"nearest other sample within {NEAR:g} of the median distance that real samples have to theirs",
        floor=finite(floor),
        interval=share_interval(value, len(comparison.fake)),
    )
    return [figure]


def _share(side: SampleSet, near: float) -> float:
    return float((_nearest(side) <= near).double().mean())


def _nearest(side: SampleSet) -> Tensor:
    """Distances of each sample to its nearest other one: (N,), float64."""

    def measure() -> Tensor:
        (rows,) = prepare(side.features, names=("given",))
        return neighbour_radii(rows, ks=(1,))[0].sqrt()

    return side.once("nearest other", measure)
