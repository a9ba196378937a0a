"""Fidelity and diversity by neighbours and bins of features: precision, recall, density, coverage, NDB."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from zerosum.evaluation.measures.base import (
    POSITIVE,
    SHARE,
    Limits,
    MetricGroup,
    Values,
    by_bootstrap,
    with_floor_and_interval,
)
from zerosum.evaluation.result import Better, MetricResult
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.ndb import Bins, compare_bins, make_bins, nearest_bins
from zerosum.metrics.precision_recall import (
    FidelityDiversity,
    Neighbourhoods,
    fidelity_diversity_within,
    neighbourhoods,
)
from zerosum.metrics.resampled_neighbours import resampled_neighbours

NEIGHBOURS: dict[str, Better] = {
    "precision": "higher", "recall": "higher", "f-score": "higher", "density": "higher", "coverage": "higher",
}  # fmt: skip
BINS: dict[str, Better] = {"ndb": "lower", "js": "lower"}

K, K_DENSITY = 3, 5


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=NEIGHBOURS,
            unavailable=_too_few_neighbours,
            compute=_compute_neighbours,
            quick=_neighbours_alone,
            blind="precision and density rise where samples are blurred or keep to the middle of the real ones, and "
            "say nothing of variety; recall rises with samples that are scattered wide; one outlier among the real "
            "samples reaches far",
        ),
        MetricGroup(
            names=BINS,
            unavailable=_too_few_for_bins,
            compute=_compute_bins,
            quick=_bins_alone,
            blind="NDB and JS do not react to what samples look like within a bin",
        ),
    )


def _too_few_neighbours(comparison: Comparison) -> str | None:
    count = min(len(comparison.real), len(comparison.fake))
    return None if count > K_DENSITY else f"{count} samples have no {K_DENSITY} neighbours; give a larger --count"


def _neighbourhoods(real: SampleSet) -> Neighbourhoods:
    return real.once("neighbourhoods", lambda: neighbourhoods(real.features, k=K, k_density=K_DENSITY))


def _neighbours(real: SampleSet, fake: SampleSet) -> Values:
    return _with_f_score(fidelity_diversity_within(_neighbourhoods(real), fake.features))


def _with_f_score(found: FidelityDiversity) -> Values:
    both = found.precision + found.recall
    return {**vars(found), "f-score": 2 * found.precision * found.recall / both if both else 0.0}


def _compute_neighbours(comparison: Comparison) -> list[MetricResult]:
    count, width = comparison.fake.features.shape
    interval = by_bootstrap(comparison, work=2.0 * count * len(comparison.real) * max(width, 64))
    known = interval and resampled_neighbours(_neighbourhoods(comparison.real), comparison.fake.features)
    return with_floor_and_interval(
        comparison,
        NEIGHBOURS,
        _neighbours,
        on_rows=(lambda rows: _with_f_score(known.compute(rows))) if known else None,
        settings=f"k = {K} for precision and recall, {K_DENSITY} for density and coverage",
        interval=interval,
        titles={"f-score": "F of both"},
        limits=dict.fromkeys(NEIGHBOURS, SHARE) | {"density": POSITIVE},
        proportions=("precision",),
    )


def _neighbours_alone(comparison: Comparison) -> Values:
    return _neighbours(comparison.real, comparison.fake)


def _bins_for(count: int) -> int:
    """Bins that 20 real samples each fall into on average, 10 of them counted, 100 at most."""
    return min(100, count // 20)


def _too_few_for_bins(comparison: Comparison) -> str | None:
    count = len(comparison.real)
    return None if _bins_for(count) >= 2 else f"{count} real samples fill no bins; give --count 40 or more"


def _made_bins(real: SampleSet, seed: int) -> Bins:
    return real.once("bins", lambda: make_bins(real.features, bins=_bins_for(len(real)), seed=seed))


def _bins(real: SampleSet, fake: SampleSet, seed: int) -> Values:
    bins = _made_bins(real, seed)
    return _of_bins(bins, nearest_bins(bins, fake.features))


def _of_bins(bins: Bins, filled: Tensor) -> Values:
    found = compare_bins(bins, filled)
    return {"ndb": float(found.different), "js": found.divergence}


def _compute_bins(comparison: Comparison) -> Sequence[MetricResult]:
    seed, bins = comparison.protocol.seed, _bins_for(len(comparison.real))
    made = _made_bins(comparison.real, seed)
    filled = nearest_bins(made, comparison.fake.features)
    limits: dict[str, Limits] = {"ndb": (0.0, bins), "js": (0.0, math.log(2))}
    return with_floor_and_interval(
        comparison,
        BINS,
        lambda real, fake: _bins(real, fake, seed),
        on_rows=lambda rows: _of_bins(made, filled[rows]),
        titles={"ndb": f"NDB of {bins}", "js": "JS of bins"},
        settings=f"{bins} bins by K-means on the features, significance 0.05",
        interval=by_bootstrap(comparison, work=1.0 * comparison.fake.features.numel() * bins),
        limits=limits,
    )


def _bins_alone(comparison: Comparison) -> Values:
    return _bins(comparison.real, comparison.fake, comparison.protocol.seed)
