"""Metrics of pixels: textures from coarse to fine, power by frequency, and images against what they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from zerosum import text
from zerosum.data.batch import to_float
from zerosum.evaluation.measures.base import POSITIVE, Limits, MetricGroup, Values, within
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.bootstrap import Interval, bootstrap
from zerosum.metrics.psnr_ssim import psnr, ssim
from zerosum.metrics.sliced_wasserstein import sliced_wasserstein
from zerosum.metrics.spectrum import radial_spectrum, spectrum_distance

SLICED: dict[str, Better] = {"sliced-wasserstein": "lower"}
SPECTRUM: dict[str, Better] = {"spectrum": "lower"}
PAIRED: dict[str, Better] = {"psnr": "higher", "ssim": "higher", "l1": "lower"}

IMAGES, PATCHES, DIRECTIONS, DRAWS = 512, 32, 64, 20
"""What the sliced Wasserstein distance takes: a few seconds; published figures take 16,384 images, 128 patches."""

SMALLEST, WINDOW = 16, 11

LIMITS: dict[str, Limits] = {"ssim": (-1.0, 1.0), "l1": (0.0, 2.0), "lpips": POSITIVE}
"""The least and the largest value of metrics of pairs."""

PerImage = Callable[[Tensor, Tensor], Mapping[str, Tensor]]
"""Metrics of each image (first) against what it should be (second), both (N, C, H, W) uint8: (N,) by name."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(names=SLICED, unavailable=_missing_pyramid, compute=_compute_sliced),
        MetricGroup(
            names=SPECTRUM,
            unavailable=_missing_square,
            compute=_compute_spectrum,
            blind="spectrum and sliced Wasserstein do not react to what images show",
        ),
        MetricGroup(names=PAIRED, unavailable=missing_pairs, compute=_compute_pairs, quick=_pairs_alone),
    )


def _pictures(side: SampleSet, most: int) -> Tensor:
    assert side.images is not None
    return side.images[:most]


def _missing_square(comparison: Comparison) -> str | None:
    if comparison.fake.images is None:
        return f"it is of images, and these are {comparison.unit}"
    H, W = comparison.fake.images.shape[2:]
    return None if H == W else f"it needs square images, and these are {H}x{W}; give a square --size"


def _missing_pyramid(comparison: Comparison) -> str | None:
    found = _missing_square(comparison)
    if found is not None or comparison.fake.images is None:
        return found
    H = comparison.fake.images.shape[2]
    if H % SMALLEST or (H // SMALLEST) & (H // SMALLEST - 1):
        return f"it needs sides of 16, 32, 64, 128, ..., and these are {H}; give such a --size"
    return None


def _compute_sliced(comparison: Comparison) -> list[MetricResult]:
    def distance(real: Tensor, fake: Tensor) -> float:
        seed = comparison.protocol.seed
        return sliced_wasserstein(real, fake, seed=seed, patches=PATCHES, directions=DIRECTIONS).value

    settings = f"{PATCHES} patches an image, {DIRECTIONS} directions, times 1,000"
    return [_figure(comparison, "sliced-wasserstein", "sliced Wasserstein", distance, settings, most=IMAGES)]


def _compute_spectrum(comparison: Comparison) -> list[MetricResult]:
    def distance(real: Tensor, fake: Tensor) -> float:
        return spectrum_distance(*(radial_spectrum(to_float(side)) for side in (real, fake)))

    return [_figure(comparison, "spectrum", "spectrum", distance, "decibels", most=2 * IMAGES)]


def _figure(
    comparison: Comparison,
    name: str,
    title: str,
    distance: Callable[[Tensor, Tensor], float],
    settings: str,
    *,
    most: int,
) -> MetricResult:
    """Judge by a distance of as many images on both sides."""
    sides = comparison.real, comparison.fake, comparison.reference.other
    count = min(most, *(len(_pictures(side, most)) for side in sides))
    real, fake, other = (_pictures(side, count) for side in sides)
    value = distance(real, fake)
    interval = bootstrap(lambda rows: distance(real, fake[rows]), count, seed=comparison.protocol.seed, draws=DRAWS)
    return MetricResult(
        metric=name,
        title=title,
        value=finite(value),
        better="lower",
        settings=f"{count} images, {settings}",
        floor=finite(distance(real, other)),
        interval=within(interval, value, POSITIVE, count=count),
    )


def missing_pairs(comparison: Comparison) -> str | None:
    """Say what is missing where samples have no image that they should equal."""
    if comparison.paired:
        return None
    return "there is no real image that a sample should equal; it is for runs on pairs, such as those of pix2pix"


def _likeness(made: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Take the figures of each image on all channels: (N,) each."""
    found = {"psnr": psnr(made, target).values}
    if min(made.shape[2:]) >= WINDOW:
        found["ssim"] = ssim(made, target).values
    found["l1"] = (to_float(made) - to_float(target)).abs().flatten(1).mean(1)
    return found


def _compute_pairs(comparison: Comparison) -> list[MetricResult]:
    titles = {"psnr": "PSNR", "ssim": "SSIM", "l1": "L1"}
    units = {"psnr": "decibels, all channels", "ssim": "all channels", "l1": "of values in [-1, 1]"}
    notes = stand_in(comparison, _likeness, titles)
    return of_pairs(comparison, _likeness, PAIRED, titles=titles, units=units, notes=notes)


def of_pairs(
    comparison: Comparison,
    measure: PerImage,
    better: Mapping[str, Better],
    *,
    titles: Mapping[str, str],
    units: Mapping[str, str],
    notes: tuple[str, ...] = (),
) -> list[MetricResult]:
    """Judge each sample by the image that it should be.

    Args:
        comparison: of pairs.
        measure: takes metrics of images.
        better: which way each of the metrics is better, by name.
        titles: what each is called.
        units: what each is in.
        notes: sentences that belong beside all of them.
    """
    made, target = _both(comparison)
    return [
        MetricResult(
            metric=name,
            title=titles[name],
            value=finite(float(values.mean())),
            better=better[name],
            settings=f"mean of {len(values)} pairs, {units[name]}",
            interval=_over_images(values, comparison.protocol.seed, LIMITS.get(name)),
            notes=notes,
        )
        for name, values in measure(made, target).items()
    ]


def stand_in(comparison: Comparison, measure: PerImage, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Say what the mean of other targets gets in the place of every sample, or of what was made of it.

    It takes no network, and is no floor: pairs have none, because no other real image is the right answer.
    """
    others, (made, target) = comparison.reference.other.images, _both(comparison)
    if others is None:
        return ()
    mean = others.double().mean(0).round().to(torch.uint8).expand_as(target)
    keeps = comparison.recipe is not None and comparison.recipe.task.keeps
    if keeps:
        mean = torch.where((made == target).all(1, keepdim=True), target, mean)
    values = ", ".join(
        f"{titles[name]} {text.number(float(value.mean()))}" for name, value in measure(mean, target).items()
    )
    against = comparison.protocol.against
    place = "what was made of every sample" if keeps else "every sample"
    count_in = ("the known pixels, which are those of the target, count in.",) if keeps else ()
    return (f"the mean of {len(others):,} other targets ({against}) in the place of {place} has {values}.", *count_in)


def _both(comparison: Comparison) -> tuple[Tensor, Tensor]:
    """Return the images that were made and those that they should be, (N, C, H, W) each."""
    made, target = (_pictures(side, len(side)) for side in (comparison.fake, comparison.real))
    return made, target


def _over_images(values: Tensor, seed: int, limits: Limits | None) -> Interval | None:
    if len(values) < 2 or not bool(values.isfinite().all()):
        return None
    found = bootstrap(lambda rows: float(values[rows].mean()), len(values), seed=seed)
    return within(found, float(values.mean()), limits, count=len(values))


def _pairs_alone(comparison: Comparison) -> Values:
    return {name: float(values.mean()) for name, values in _likeness(*_both(comparison)).items()}
