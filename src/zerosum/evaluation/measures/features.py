"""Metrics that hold features against features: Frechet and kernel distance, fidelity and diversity, bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from zerosum.evaluation.measures.base import (
    POSITIVE,
    SHARE,
    TOO_MUCH,
    WORK,
    Limits,
    MetricGroup,
    Values,
    always,
    by_bootstrap,
    by_splits,
    inception_title,
    with_floor_and_interval,
    within,
)
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.frechet import Frechet, frechet_distance, frechet_distance_of_features
from zerosum.metrics.frechet_infinity import PARTS, frechet_infinity
from zerosum.metrics.kernel import kernel_distance, polynomial_discrepancy
from zerosum.metrics.moments import Moments, moments
from zerosum.metrics.ndb import different_bins, make_bins
from zerosum.metrics.precision_recall import fidelity_diversity_within, neighbourhoods

LOWER: Better = "lower"
FRECHET: dict[str, Better] = {"fid": LOWER}
ENDLESS: dict[str, Better] = {"fid-infinity": LOWER}
KERNEL: dict[str, Better] = {"kid": LOWER}
NEIGHBOURS: dict[str, Better] = {
    "precision": "higher", "recall": "higher", "f-score": "higher", "density": "higher", "coverage": "higher",
}  # fmt: skip
BINS: dict[str, Better] = {"ndb": LOWER, "js": LOWER}

K, K_DENSITY = 3, 5
FEWEST = 20


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=FRECHET,
            unavailable=always,
            compute=_compute_frechet,
            quick=_frechet_alone,
            blind="FID knows means and covariances alone, mixes quality and variety, and does not react to copies of "
            "training images",
        ),
        MetricGroup(names=ENDLESS, unavailable=_too_few_for_a_line, compute=_compute_endless),
        MetricGroup(names=KERNEL, unavailable=_too_few_for_parts, compute=_compute_kernel, quick=_kernel_alone),
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


def _moments(side: SampleSet) -> Moments:
    return side.once("moments", lambda: moments(side.features))


def _frechet(real: SampleSet, fake: SampleSet) -> Frechet:
    if max(len(real), len(fake)) > real.features.shape[1]:
        return frechet_distance(_moments(real), _moments(fake))
    return frechet_distance_of_features(real.features, fake.features)


def _compute_frechet(comparison: Comparison) -> list[MetricResult]:
    count, width = comparison.fake.features.shape
    return with_floor_and_interval(
        comparison,
        FRECHET,
        lambda real, fake: {"fid": _frechet(real, fake).value},
        titles={"fid": inception_title("FID", comparison)},
        interval=by_bootstrap(comparison, work=count * width * min(count, width) + 10 * min(count, width) ** 3),
        limits={"fid": POSITIVE},
        notes=_frechet(comparison.real, comparison.fake).notes,
    )


def _frechet_alone(comparison: Comparison) -> Values:
    return {"fid": _frechet(comparison.real, comparison.fake).value}


def _too_few_for_a_line(comparison: Comparison) -> str | None:
    count = min(len(comparison.real), len(comparison.fake))
    return None if count >= FEWEST else f"{count} samples make no line; give --count {FEWEST} or more"


def _compute_endless(comparison: Comparison) -> list[MetricResult]:
    """Extrapolate, both for the generated samples and for real ones in their place."""
    real, fake, other = (side.features for side in (comparison.real, comparison.fake, comparison.reference.other))
    count, width = min(len(real), len(fake)), real.shape[1]
    jackknife = 10 * len(PARTS) * (count * width * min(count, width) + 10 * min(count, width) ** 3) < 10 * WORK
    found = frechet_infinity(real, fake, jackknife=jackknife)
    floor = frechet_infinity(real, other, jackknife=False)
    smallest = count // max(PARTS)
    notes = () if jackknife else (TOO_MUCH,)
    if smallest <= width:
        notes += (
            f"the smallest part holds {smallest:,} samples and there are {width:,} features, where distances do not "
            "lie on a line; give a larger --count.",
        )
    spread = found.interval and within(found.interval, found.value, POSITIVE, count=count)
    figure = MetricResult(
        metric="fid-infinity",
        title=inception_title("FID-infinity", comparison),
        value=finite(max(0.0, found.value)),
        better="lower",
        settings=f"both sides continued, from {', '.join(map(str, PARTS))} disjoint splits",
        floor=finite(max(0.0, floor.value)),
        interval=spread,
        notes=notes,
    )
    return [figure]


def _subsets(count: int) -> tuple[int, int]:
    """How many subsets of how many samples the kernel distance takes: 100 of 1,000 where there are enough."""
    return 100, max(2, min(1000, count // 2))


def _kernel(real: SampleSet, fake: SampleSet, seed: int) -> float:
    subsets, size = _subsets(min(len(real), len(fake)))
    return kernel_distance(real.features, fake.features, seed=seed, subsets=subsets, subset_size=size).value


def _too_few_for_parts(comparison: Comparison) -> str | None:
    count = min(len(comparison.real), len(comparison.fake))
    return None if count >= FEWEST else f"{count} samples make no subsets; give --count {FEWEST} or more"


def _compute_kernel(comparison: Comparison) -> list[MetricResult]:
    real, fake, seed = comparison.real, comparison.fake, comparison.protocol.seed
    subsets, size = _subsets(min(len(real), len(fake)))
    (figure,) = with_floor_and_interval(
        comparison,
        KERNEL,
        lambda real, fake: {"kid": _kernel(real, fake, seed)},
        titles={"kid": inception_title("KID", comparison)},
        settings=f"{subsets} subsets of {size:,}",
        # It is unbiased at any count, so disjoint parts of both sides say how it scatters.
        interval=lambda metric: by_splits(comparison)(lambda rows: _on_rows(real, fake, rows)),
    )
    spread, value = figure.interval, figure.value
    if spread is None or value is None:
        return [figure]
    reach = (spread.high - spread.low) / 2
    return [replace(figure, interval=replace(spread, low=value - reach, high=value + reach))]


def _on_rows(real: SampleSet, fake: SampleSet, rows: Tensor) -> float:
    return polynomial_discrepancy(real.features[rows % len(real)], fake.features[rows])


def _kernel_alone(comparison: Comparison) -> Values:
    return {"kid": _kernel(comparison.real, comparison.fake, comparison.protocol.seed)}


def _too_few_neighbours(comparison: Comparison) -> str | None:
    count = min(len(comparison.real), len(comparison.fake))
    return None if count > K_DENSITY else f"{count} samples have no {K_DENSITY} neighbours; give a larger --count"


def _neighbours(real: SampleSet, fake: SampleSet) -> Values:
    about = real.once("neighbourhoods", lambda: neighbourhoods(real.features, k=K, k_density=K_DENSITY))
    found = fidelity_diversity_within(about, fake.features)
    both = found.precision + found.recall
    return {**vars(found), "f-score": 2 * found.precision * found.recall / both if both else 0.0}


def _compute_neighbours(comparison: Comparison) -> list[MetricResult]:
    count, width = comparison.fake.features.shape
    return with_floor_and_interval(
        comparison,
        NEIGHBOURS,
        _neighbours,
        settings=f"k = {K} for precision and recall, {K_DENSITY} for density and coverage",
        interval=by_bootstrap(comparison, work=2.0 * count * len(comparison.real) * max(width, 64)),
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


def _bins(real: SampleSet, fake: SampleSet, seed: int) -> Values:
    bins = real.once("bins", lambda: make_bins(real.features, bins=_bins_for(len(real)), seed=seed))
    found = different_bins(bins, fake.features)
    return {"ndb": float(found.different), "js": found.divergence}


def _compute_bins(comparison: Comparison) -> Sequence[MetricResult]:
    seed, bins = comparison.protocol.seed, _bins_for(len(comparison.real))
    limits: dict[str, Limits] = {"ndb": (0.0, bins), "js": (0.0, math.log(2))}
    return with_floor_and_interval(
        comparison,
        BINS,
        lambda real, fake: _bins(real, fake, seed),
        titles={"ndb": f"NDB of {bins}", "js": "JS of bins"},
        settings=f"{bins} bins by K-means on the features, significance 0.05",
        interval=by_bootstrap(comparison, work=1.0 * comparison.fake.features.numel() * bins),
        limits=limits,
    )


def _bins_alone(comparison: Comparison) -> Values:
    return _bins(comparison.real, comparison.fake, comparison.protocol.seed)
