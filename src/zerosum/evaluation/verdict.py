"""An evaluation in one to three plain sentences, with the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zerosum import text
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import MetricResult

UNTRAINED = ("random", "pixels")
"""Features that nothing was learned for: what they find alike need not look alike."""

OF_FEATURES = ("fid", "fid-infinity", "kid", "precision", "recall", "f-score", "density", "coverage", "ndb", "js")
"""Metrics that are no better than their features."""

MOST = 3

LOST, FEW, MANY = 0.05, 0.5, 0.8
"""Shares of what real samples get: below the first it is next to nothing, below the second little, above the third
nearly as much."""

FAR, CLOSE = 5.0, 1.5
"""A Frechet distance in those of real samples: above the first it is far, below the second close."""

FLAT = 6.0
"""Decibels of the spectrum beyond which images are not of the kind at all: power is four times what it should be."""


def verdict(figures: Sequence[MetricResult], protocol: Protocol, unit: str = "images") -> tuple[str, ...]:
    """Say how good samples are, in sentences that need no knowledge of the metrics.

    Features that nothing was learned for support no sentence on quality: then it is said that they do not.
    """
    known = {figure.metric: figure for figure in figures if figure.value is not None}
    said = [*_points(known), *_collapse(known), *_copies(known, unit)]
    if protocol.extractor in UNTRAINED and not known.keys().isdisjoint(OF_FEATURES):
        said += _untrained(protocol, unit)
    elif protocol.extractor not in UNTRAINED:
        said += [*_noise(known), *_variety(known, unit), *_likeness(known, unit)]
    said += _pairs(known)
    return tuple(said[:MOST])


def _points(known: Mapping[str, MetricResult]) -> Iterator[str]:
    if "modes" not in known:
        return
    modes, floor = known["modes"], known["modes"].floor or 0
    near = (
        f", and {_percent(_value(known, 'high-quality'))} of the points lie near one" if "high-quality" in known else ""
    )
    few = _value(known, "modes") < floor
    lost = "the generator leaves out the others" if few else "none is left out"
    yield f"{text.number(_value(known, 'modes'))} {modes.title.removeprefix('modes ')} modes are found{near}: {lost}."


def _collapse(known: Mapping[str, MetricResult]) -> Iterator[str]:
    if "duplicates" in known and _value(known, "duplicates") >= max(FEW, 2 * _floor(known, "duplicates")):
        share = _percent(_value(known, "duplicates"))
        yield f"The generator has collapsed: {share} of the samples are (nearly) identical to another one."


def _copies(known: Mapping[str, MetricResult], unit: str) -> Iterator[str]:
    if "authenticity" in known and _value(known, "authenticity") < FEW * _floor(known, "authenticity"):
        copies = _percent(1 - _value(known, "authenticity"))
        yield f"Samples look like copies of training {unit}: {copies} lie nearer to one than any other does."


def _untrained(protocol: Protocol, unit: str) -> Iterator[str]:
    if unit != "images":
        yield f"These features ({protocol.extractor}) cannot say how good it is, because nothing was learned for them."
        return
    yield (
        f"These features ({protocol.extractor}) cannot say how good it is, for nothing was learned for them: give "
        "--features inception, which downloads its weights, or labelled data for --features classifier."
    )


def _noise(known: Mapping[str, MetricResult]) -> Iterator[str]:
    covered = max((_value(known, name) for name in ("recall", "coverage") if name in known), default=1.0)
    flat = "spectrum" in known and _value(known, "spectrum") > FLAT + _floor(known, "spectrum")
    if flat and covered < LOST:
        yield (
            "The samples are nothing like the real images (noise, or a generator that has hardly learned): their fine "
            f"detail is {text.number(_value(known, 'spectrum'))} decibels off."
        )


def _variety(known: Mapping[str, MetricResult], unit: str) -> Iterator[str]:
    name = next((name for name in ("recall", "coverage") if name in known and _floor(known, name) > 0), None)
    if name is None:
        return
    share, floor = _value(known, name), _floor(known, name)
    said = f"{name.capitalize()} {_percent(share)} (real {unit}: {_percent(floor)}): the samples cover"
    if share < LOST * floor:
        yield f"{said} almost none of the real {unit}."
    elif share < FEW * floor:
        yield f"{said} a small part of the real {unit}."
    elif share < MANY * floor:
        yield f"{said} much of the real {unit}, not all of them."


def _likeness(known: Mapping[str, MetricResult], unit: str) -> Iterator[str]:
    name = next((name for name in ("fid", "kid") if name in known and known[name].floor is not None), None)
    if name == "fid":
        figure, value, floor = known["fid"], _value(known, "fid"), _floor(known, "fid")
        beside = f"{figure.title} {text.number(value)} beside {text.number(floor)} for real {unit}."
        if value <= CLOSE * floor:
            yield f"Close to real: {beside}"
        elif value <= FAR * floor:
            yield f"Near real, with a difference: {beside}"
        else:
            yield f"Far from real: {beside}"
    if "precision" in known and _floor(known, "precision") > 0:
        share, floor = _value(known, "precision"), _floor(known, "precision")
        if share < FEW * floor:
            yield f"Most samples do not look real: precision {_percent(share)} (real {unit}: {_percent(floor)})."


def _pairs(known: Mapping[str, MetricResult]) -> Iterator[str]:
    if "psnr" in known:
        ssim = f", SSIM {text.number(_value(known, 'ssim'))}" if "ssim" in known else ""
        yield (
            f"An image differs from what it should be by {text.number(_value(known, 'psnr'))} decibels of PSNR on "
            f"average{ssim}; the notes say what a mean image gets."
        )


def _value(known: Mapping[str, MetricResult], name: str) -> float:
    value = known[name].value
    assert value is not None
    return value


def _floor(known: Mapping[str, MetricResult], name: str) -> float:
    return known[name].floor or 0.0


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
