"""Metrics of clips: how much moves, how many stand still, and the frames by themselves."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zerosum.evaluation.measures.base import POSITIVE, MetricGroup, within
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.features.untrained import Random
from zerosum.metrics.bootstrap import bootstrap, share_interval
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.wasserstein import wasserstein
from zerosum.runtime.device import without_tf32

KIND = "clips"
MOTION: dict[str, Better] = {"motion": "lower", "frozen": "lower"}
FRAMES: dict[str, Better] = {"frame-fid": "lower"}
STILL = 0.25
"""Share of the median motion of real clips below which a clip is called frozen."""
LOOKED_AT, EACH, DRAWS = 512, 4, 20
"""Clips of a side and frames of each whose features are taken, and draws of the bootstrap."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=MOTION,
            unavailable=_missing,
            compute=_compute_motion,
            blind="motion does not react to what moves, nor to where",
        ),
        MetricGroup(names=FRAMES, unavailable=_missing, compute=_compute_frames),
    )


def motion(clips: Tensor) -> Tensor:
    """Return the mean of |x_t - x_{t-1}| over pixels and frames of clips (N, T, C, H, W) uint8: (N,), in [0, 1].

    >>> still = torch.zeros(1, 3, 1, 2, 2, dtype=torch.uint8)
    >>> float(motion(still)), float(motion(torch.cat([still, still + 255], 1)).mul(5).round())
    (0.0, 1.0)
    """
    if clips.shape[1] < 2:
        return torch.zeros(len(clips))
    parts = [(part[:, 1:].short() - part[:, :-1].short()).abs() for part in clips.split(64)]
    return torch.cat([part.flatten(1).float().mean(1) for part in parts]) / 255


def _missing(comparison: Comparison) -> str | None:
    if comparison.kind != KIND:
        return f"it is of clips, and these are {comparison.unit}"
    return None if comparison.fake.samples is not None else "only features of the samples are known"


def _clips(side: SampleSet) -> Tensor:
    assert side.samples is not None
    return side.samples


def _compute_motion(comparison: Comparison) -> list[MetricResult]:
    real, fake, other = (
        side.once("motion", lambda side=side: motion(_clips(side)))
        for side in (comparison.real, comparison.fake, comparison.reference.other)
    )
    seed, value = comparison.protocol.seed, wasserstein(real, fake)
    interval = bootstrap(lambda rows: wasserstein(real, fake[rows]), len(fake), seed=seed)
    still = STILL * real.median()
    frozen = float((fake < still).double().mean())
    means = f"mean {float(fake.mean()):.3g}, of real clips {float(real.mean()):.3g}"
    return [
        MetricResult(
            metric="motion",
            title="motion",
            value=finite(value),
            better="lower",
            settings="Wasserstein-1 distance of each clip's mean change from frame to frame, in [0, 1]",
            floor=finite(wasserstein(real, other)),
            interval=within(interval, value, POSITIVE, count=len(fake)),
            notes=(f"a clip's change from frame to frame: {means}.",),
        ),
        MetricResult(
            metric="frozen",
            title="frozen share",
            value=finite(frozen),
            better="lower",
            settings=f"clips that move less than {STILL:g} of the median real one",
            floor=finite(float((other < still).double().mean())),
            interval=share_interval(frozen, len(fake)),
        ),
    ]


def _compute_frames(comparison: Comparison) -> list[MetricResult]:
    extractor = Random()
    sides = (comparison.real, comparison.fake, comparison.reference.other)
    count = min(LOOKED_AT, *(len(_clips(side)) for side in sides))
    real, fake, other = (_frames(side, count, extractor) for side in sides)

    def distance(one: Tensor, side: Tensor) -> float:
        return frechet_distance_of_features(one.flatten(0, 1), side.flatten(0, 1)).value

    value = distance(real, fake)
    interval = bootstrap(lambda rows: distance(real, fake[rows]), count, seed=comparison.protocol.seed, draws=DRAWS)
    return [
        MetricResult(
            metric="frame-fid",
            title="frame-FID-random",
            value=finite(value),
            better="lower",
            settings=f"{fake.shape[1]} frames of each of {count} clips, features of random convolutions",
            floor=finite(distance(real, other)),
            interval=within(interval, value, POSITIVE, count=count),
        )
    ]


def _frames(side: SampleSet, count: int, extractor: Callable) -> Tensor:
    """Return the features of frames evenly spread over each of the first clips: (count, k, F)."""
    clips = _clips(side)[:count]
    places = torch.linspace(0, clips.shape[1] - 1, min(EACH, clips.shape[1])).round().long()
    with without_tf32():
        parts = [extractor(part[:, places].flatten(0, 1)).features for part in clips.split(128)]
    return torch.cat(parts).unflatten(0, (count, len(places)))
