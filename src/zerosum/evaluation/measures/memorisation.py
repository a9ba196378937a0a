"""Metrics of memorisation: is what was generated a copy of what was trained on?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zerosum.evaluation.measures.base import POSITIVE, MetricGroup, by_bootstrap, within
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, MemorisationData, SampleSet
from zerosum.metrics.bootstrap import share_interval
from zerosum.metrics.memorisation import authentic_share, compare_with_held_out, distinct, spacing_at
from zerosum.metrics.nearest_images import nearest
from zerosum.metrics.pairwise_distances import nearest_row, prepare

COPIES: dict[str, Better] = {"authenticity": "higher", "nearest": "higher"}
PIXELS: dict[str, Better] = {"nearest-l1": "higher"}
LOOKED_AT = 100
"""Images whose nearest training images are searched for pixel by pixel."""

UNLIKE = "above the floor it says that samples are unlike real ones, not that they are good"


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=COPIES,
            unavailable=_missing,
            compute=_compute_copies,
            blind="authenticity and the distances to training samples rise to their best on noise: only values below "
            "the floor say anything",
        ),
        MetricGroup(names=PIXELS, unavailable=_missing_pixels, compute=_compute_pixels),
    )


def _missing(comparison: Comparison) -> str | None:
    if comparison.reference.memory is None:
        return "it needs samples made from nothing and the data that they were learned from; leave --against out"
    return None


def _missing_pixels(comparison: Comparison) -> str | None:
    if comparison.fake.images is None:
        return f"it is of images, and these are {comparison.unit}"
    return _missing(comparison)


def _memory(comparison: Comparison) -> MemorisationData:
    assert comparison.reference.memory is not None
    return comparison.reference.memory


def _compute_copies(comparison: Comparison) -> list[MetricResult]:
    """Look for copies among features. Real samples that were not trained on are the floor."""
    memory = _memory(comparison)
    known = memory.training().features
    training, generated, held_out = prepare(
        distinct(known),
        comparison.fake.features,
        memory.held_out.features,
        names=("training", "generated", "real"),
    )
    near, unseen = nearest_row(generated, training), nearest_row(held_out, training)
    spacing = spacing_at(training, torch.cat([near[1], unseen[1]]))
    shares = authentic_share(*near, spacing), authentic_share(*unseen, spacing)
    medians = _median(near[0].sqrt()), _median(unseen[0].sqrt())
    searched = f"{len(known):,} of {memory.size:,}" if len(known) < memory.size else f"all {memory.size:,}"
    count = len(comparison.fake)
    spread = by_bootstrap(comparison, work=100.0 * count)
    interval = spread and within(spread(lambda rows: _median(near[0][rows].sqrt())), medians[0], POSITIVE, count=count)
    return [
        MetricResult(
            metric=name,
            title=title,
            value=finite(value),
            better=COPIES[name],
            settings=f"{searched} training samples searched; {UNLIKE}",
            floor=finite(floor),
            interval=found,
            notes=_suspicion(comparison, near[0], unseen[0]),
        )
        for name, title, (value, floor), found in (
            ("authenticity", "authenticity", shares, share_interval(shares[0], count)),
            ("nearest", "nearest by features", medians, interval),
        )
    ]


def _compute_pixels(comparison: Comparison) -> Sequence[MetricResult]:
    """Look for copies among pixels: the mean absolute difference, of values in [-1, 1], to the nearest."""
    memory = _memory(comparison)
    found, unseen = (_nearest(side, memory) for side in (comparison.fake, memory.held_out))
    figure = MetricResult(
        metric="nearest-l1",
        title="nearest by L1",
        value=finite(_median(found)),
        better="higher",
        settings=f"median of {len(found)} samples to their nearest training images; {UNLIKE}",
        floor=finite(_median(unseen)),
        notes=_suspicion(comparison, found, unseen),
    )
    return [figure]


def _nearest(side: SampleSet, memory: MemorisationData) -> Tensor:
    """Distances of a side's first images to their nearest training images that are not themselves."""
    assert side.images is not None
    return nearest(side.images[:LOOKED_AT], memory.chunks(), k=1)[1][:, 0]


def _suspicion(comparison: Comparison, distances: Tensor, held_out: Tensor) -> tuple[str, ...]:
    """Say where samples lie nearer to training samples than unseen real ones do."""
    if not compare_with_held_out(distances, held_out).suspicious:
        return ()
    trained = "" if _memory(comparison).trained else ", if they are what it was trained on"
    return (f"samples lie so near to training samples that they look like copies{trained}.",)


def _median(values: Tensor) -> float:
    return float(values.double().quantile(0.5))
