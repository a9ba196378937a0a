"""Mode counts of mixtures in the plane and of stacked digits, and the expected counts of a perfect sampler."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features
from zerosum.metrics.divergence import kl_divergence


@dataclass(frozen=True)
class ModeCount:
    """Which modes samples reach, and how evenly."""

    found: int
    """Modes with at least one sample that counts."""

    modes: int
    """K."""

    high_quality: float
    """Share of samples that count: within the radius of their nearest mode. 1 for labels, which always count."""

    divergence: float
    """Reverse KL, of the histogram of samples that count to the uniform one: nats; ln K if there is but one mode, and
    nan if no sample counts."""

    histogram: Tensor
    """(K,), int64, samples that count."""


@dataclass(frozen=True)
class Ceiling:
    """What a perfect sampler of K equal modes gets on average from N samples."""

    found: float
    """Modes."""

    high_quality: float
    """Share of samples that count."""

    divergence: float
    """Reverse KL, nats; about (K - 1) / 2N."""


def mixture_modes(points: Tensor, centres: Tensor, *, sigma: float, within: float = 3.0) -> ModeCount:
    """Count the modes of a mixture of equal round Gaussians that samples reach.

    A sample belongs to its nearest mode and is of high quality if nearer than `within` sigma to it; a mode is found if
    it has at least one sample of high quality. 2,500 samples in the published protocol.

    Args:
        points: (N, 2), or any other number of coordinates.
        centres: (K, 2), likewise.
        sigma: standard deviation of each mode.
        within: radius of high quality, in sigmas.

    Raises:
        InputError: No tables of finite coordinates, or different numbers of them.

    Source: Lin et al. 2018 (PacGAN), section 4.1 and published code (https://arxiv.org/abs/1712.04086).

    >>> centres = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    >>> count = mixture_modes(torch.tensor([[0.0, 0.02], [0.5, 0.0]]), centres, sigma=0.01)
    >>> count.found, count.high_quality
    (1, 0.5)
    """
    check_features(points, of="generated")
    check_features(centres, of="modes'")
    if points.shape[1] != centres.shape[1]:
        raise InputError(f"Points of {points.shape[1]} coordinates were given for modes of {centres.shape[1]}.")
    wide, middle = points.double(), centres.double().to(points.device)
    distances, nearest = torch.cdist(wide, middle, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    good = distances < within * sigma
    return _count(nearest[good], len(centres), float(good.double().mean()))


def stacked_modes(labels: Tensor, *, classes: int = 10) -> ModeCount:
    """Count the combinations of classes that occur in the channels of stacked images (Stacked MNIST).

    Args:
        labels: (N, 3), int64 in [0, K): what a classifier calls each channel; or any other number of channels.
        classes: K. There are K^3 modes.

    Raises:
        InputError: No table of labels, or one outside [0, K).

    Source: Metz et al. 2017, section 3.3.1 (https://arxiv.org/abs/1611.02163); Srivastava et al. 2017, section 4.

    >>> stacked_modes(torch.tensor([[1, 2, 3], [1, 2, 3], [3, 2, 1]])).found
    2
    """
    if labels.ndim != 2 or labels.is_floating_point() or labels.numel() == 0:
        raise InputError(f"Labels of shape {tuple(labels.shape)} and type {labels.dtype}; give whole numbers, (N, 3).")
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise InputError(f"Labels from {int(labels.min())} to {int(labels.max())} were given for {classes} classes.")
    places = classes ** torch.arange(labels.shape[1] - 1, -1, -1, device=labels.device)
    return _count((labels * places).sum(1), classes ** labels.shape[1], 1.0)


def ceiling(modes: int, samples: int, *, within: float = math.inf, coordinates: int = 2) -> Ceiling:
    """Compute what a perfect sampler of equal modes gets on average; exact, not simulated.

    Args:
        modes: K.
        samples: N.
        within: radius of high quality in sigmas; infinite for labels.
        coordinates: of the round Gaussians; an even number.

    Raises:
        InputError: Numbers below 1, or an odd number of coordinates.

    >>> round(ceiling(8, 2500, within=3.0).high_quality, 5)
    0.98889
    """
    if modes < 1 or samples < 1 or coordinates < 2 or coordinates % 2:
        raise InputError(
            f"{modes} modes, {samples} samples, {coordinates} coordinates were given; give 1 mode, 1 sample or more, "
            "and an even number of coordinates."
        )
    half = within**2 / 2
    # The tail of a chi-square of even degrees of freedom is a finite sum.
    tail = sum(half**i / math.factorial(i) for i in range(coordinates // 2)) * math.exp(-half) if half < 700 else 0.0
    counted = max(1, round(samples * (1 - tail)))
    found = modes * -math.expm1(samples * math.log1p(-(1 - tail) / modes)) if modes > 1 else 1.0
    return Ceiling(found, 1 - tail, _expected_divergence(modes, counted))


def _count(nearest: Tensor, modes: int, high_quality: float) -> ModeCount:
    histogram = torch.bincount(nearest, minlength=modes)
    total = int(histogram.sum())
    uniform = torch.full((modes,), 1 / modes, dtype=torch.float64, device=histogram.device)
    divergence = kl_divergence(histogram.double() / total, uniform) if total else math.nan
    return ModeCount(int((histogram > 0).sum()), modes, high_quality, divergence, histogram)


def _expected_divergence(modes: int, samples: int) -> float:
    """E KL(histogram || uniform) = ln K + K E[c/N ln(c/N)], where c is binomial with N draws of chance 1/K."""
    if modes == 1:
        return 0.0
    c = torch.arange(samples + 1, dtype=torch.float64)
    total = torch.tensor(float(samples), dtype=torch.float64)
    ways = torch.lgamma(total + 1) - torch.lgamma(c + 1) - torch.lgamma(total - c + 1)
    chance = (ways - c * math.log(modes) + (total - c) * math.log1p(-1 / modes)).exp()
    return math.log(modes) + modes * float((chance * torch.xlogy(c / total, c / total)).sum())
