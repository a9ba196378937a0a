"""Metrics of sounds: how far the distributions of their pitches and of their loudness are from the real ones."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from zerosum.evaluation.measures.base import POSITIVE, MetricGroup, within
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics import sound
from zerosum.metrics.bootstrap import bootstrap
from zerosum.metrics.wasserstein import wasserstein

SOUNDS: dict[str, Better] = {"pitch": "lower", "loudness": "lower"}
FEWEST = 10
"""Values of a side from which on there is an interval."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=SOUNDS,
            unavailable=_missing,
            compute=_compute,
            blind="pitch and loudness do not react to what is said or played",
        ),
    )


def _missing(comparison: Comparison) -> str | None:
    if comparison.reference.training.spec.rate is None:
        return f"pitch and loudness are of sounds, and these are {comparison.unit}"
    if any(side.samples is None for side in (comparison.real, comparison.fake, comparison.reference.other)):
        return "only features of the samples are known"
    return None


def _compute(comparison: Comparison) -> list[MetricResult]:
    rate = comparison.reference.training.spec.rate
    assert rate is not None

    def semitones(side: SampleSet) -> Tensor:
        found = side.once("pitch", lambda: sound.pitches(_samples(side), rate))
        return sound.semitones(found[found.isfinite()])

    def decibels(side: SampleSet) -> Tensor:
        return side.once("loudness", lambda: sound.loudness(_samples(side)))

    with_pitch = [100 * len(semitones(side)) / len(_samples(side)) for side in (comparison.fake, comparison.real)]
    note = f"{with_pitch[0]:.0f} % of the samples have a pitch, and {with_pitch[1]:.0f} % of the real ones."
    pitch = "Wasserstein-1 distance of the samples' median pitches, in semitones, of those that have one"
    loud = "Wasserstein-1 distance of the samples' root mean squares, in decibels"
    return [
        _figure(comparison, "pitch", "pitch (semitones)", semitones, settings=pitch, notes=(note,)),
        _figure(comparison, "loudness", "loudness (dB)", decibels, settings=loud),
    ]


def _figure(
    comparison: Comparison,
    name: str,
    title: str,
    values: Callable[[SampleSet], Tensor],
    *,
    settings: str,
    notes: tuple[str, ...] = (),
) -> MetricResult:
    real, fake, other = (values(side) for side in (comparison.real, comparison.fake, comparison.reference.other))
    value, interval = wasserstein(real, fake), None
    if min(len(real), len(fake)) >= FEWEST:
        seed = comparison.protocol.seed
        found = bootstrap(lambda rows: wasserstein(real, fake[rows]), len(fake), seed=seed)
        interval = within(found, value, POSITIVE, count=len(fake))
    return MetricResult(
        metric=name,
        title=title,
        value=finite(value),
        better="lower",
        settings=settings,
        floor=finite(wasserstein(real, other)),
        interval=interval,
        notes=notes,
    )


def _samples(side: SampleSet) -> Tensor:
    assert side.samples is not None
    return side.samples
