"""Distances between sets of features: Frechet and kernel distance."""

from __future__ import annotations

from dataclasses import replace

from zerosum.evaluation.measures.base import (
    POSITIVE,
    SPLITS,
    TOO_MUCH,
    WORK,
    MetricGroup,
    Values,
    always,
    by_bootstrap,
    inception_title,
    shuffled,
    with_floor_and_interval,
    within,
)
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.bootstrap import Interval, mean_interval
from zerosum.metrics.frechet import Factors, Frechet, factors, frechet_distance, frechet_distance_of_factors
from zerosum.metrics.frechet_infinity import PARTS, frechet_infinity
from zerosum.metrics.kernel import kernel_distance, polynomial_discrepancy
from zerosum.metrics.moments import Moments, moments

LOWER: Better = "lower"
FRECHET: dict[str, Better] = {"fid": LOWER}
ENDLESS: dict[str, Better] = {"fid-infinity": LOWER}
KERNEL: dict[str, Better] = {"kid": LOWER}
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
            "training samples",
        ),
        MetricGroup(names=ENDLESS, unavailable=_too_few_for_a_line, compute=_compute_endless),
        MetricGroup(names=KERNEL, unavailable=_too_few_for_parts, compute=_compute_kernel, quick=_kernel_alone),
    )


def _moments(side: SampleSet) -> Moments:
    return side.once("moments", lambda: moments(side.features))


def _factors(side: SampleSet) -> Factors:
    return side.once("factors", lambda: factors(side.features))


def _frechet(real: SampleSet, fake: SampleSet) -> Frechet:
    if min(len(real), len(fake)) > real.features.shape[1]:
        return frechet_distance(_moments(real), _moments(fake))
    return frechet_distance_of_factors(_factors(real), _factors(fake))


def _compute_frechet(comparison: Comparison) -> list[MetricResult]:
    count, width = comparison.fake.features.shape
    return with_floor_and_interval(
        comparison,
        FRECHET,
        lambda real, fake: {"fid": _frechet(real, fake).value},
        titles={"fid": inception_title("FID", comparison.protocol.extractor, comparison.frechet)},
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
        title=inception_title("FID-infinity", comparison.protocol.extractor, comparison.frechet),
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
        titles={"kid": inception_title("KID", comparison.protocol.extractor, comparison.frechet)},
        settings=f"{subsets} subsets of {size:,}",
        interval=lambda metric: _scatter(real, fake, seed),
    )
    spread, value = figure.interval, figure.value
    if spread is None or value is None:
        return [figure]
    reach = (spread.high - spread.low) / 2
    return [replace(figure, interval=replace(spread, low=value - reach, high=value + reach))]


def _scatter(real: SampleSet, fake: SampleSet, seed: int) -> Interval:
    """Make the interval of the mean over disjoint parts of both sides, because it is unbiased at any count."""
    parts = (shuffled(len(side), seed).tensor_split(SPLITS) for side in (real, fake))
    found = [polynomial_discrepancy(real.features[a], fake.features[b]) for a, b in zip(*parts, strict=True)]
    return mean_interval(found, method=f"{SPLITS} disjoint splits")


def _kernel_alone(comparison: Comparison) -> Values:
    return {"kid": _kernel(comparison.real, comparison.fake, comparison.protocol.seed)}
