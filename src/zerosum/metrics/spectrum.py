"""Radially averaged power spectra, in which upsampling leaves traces at high frequencies."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from zerosum.errors import InputError


def radial_spectrum(images: Tensor | Iterable[Tensor]) -> Tensor:
    """Average power over images, channels and directions.

    Args:
        images: (N, C, H, H), or chunks of it, floating-point in any range.

    Returns:
        (H // 2 + 1,), float64: power |FFT|^2 / H^2 in rings of one cycle an image about frequency 0, 1, ... H // 2.

    Raises:
        InputError: Images that are not square, differ in size, or are none.

    Source: Durall et al. 2020, section 3.1, eq. 2 and 3 (https://arxiv.org/abs/2003.01826), averaged over a ring
    instead of summed.

    >>> radial_spectrum(torch.ones(1, 1, 4, 4)).tolist()
    [16.0, 0.0, 0.0]
    """
    total, count = None, 0
    for chunk in (images,) if isinstance(images, Tensor) else images:
        if chunk.ndim != 4 or chunk.shape[2] != chunk.shape[3] or not chunk.is_floating_point():
            raise InputError(
                f"Images of shape {tuple(chunk.shape)} and type {chunk.dtype} were given; the spectrum needs square "
                "floating-point ones, (N, C, H, H)."
            )
        for part in chunk.flatten(0, 1).split(64):
            power = torch.fft.fft2(part.double(), norm="ortho").abs().square().sum(0)
            if total is not None and total.shape != power.shape:
                raise InputError(
                    f"Images of {total.shape[0]} and of {power.shape[0]} pixels a side were mixed; resize them."
                )
            total = power if total is None else total + power
            count += len(part)
    if total is None or not count:
        raise InputError("A spectrum was asked for of no images; give at least one.")
    return _rings(total / count)


def nyquist_share(images: Tensor) -> float:
    """Share of the power of images at frequencies near the Nyquist frequency of an axis, the mean left out.

    Upsampling by 2 with kernels that overlap unevenly leaves a checkerboard: power from 15/16 of the Nyquist frequency
    on, across or down. 0 for images without any power.

    Args:
        images: (N, C, H, W), floating-point in any range.

    Source: Odena et al. 2016 for the pattern (https://doi.org/10.23915/distill.00003).

    >>> place = torch.arange(8.0)
    >>> nyquist_share((place % 2).expand(1, 1, 8, 8)), nyquist_share((place // 4).expand(1, 1, 8, 8)) < 0.05
    (1.0, True)
    """
    power = torch.fft.fft2(images.float(), norm="ortho").abs().square().sum((0, 1))
    power[0, 0] = 0
    down, across = (torch.fft.fftfreq(side, device=power.device).abs() >= 15 / 32 for side in power.shape)
    return float(power[down[:, None] | across].sum() / power.sum().clamp_min(torch.finfo(power.dtype).tiny))


def spectrum_distance(real: Tensor, fake: Tensor) -> float:
    """Mean absolute difference of two radial spectra in decibels, over frequencies from 1 on; 0 at best.

    Args:
        real: (R,), from `radial_spectrum`.
        fake: (R,), from images of the same size.

    Raises:
        InputError: Different lengths, or a frequency without any power on either side.

    >>> spectrum_distance(torch.tensor([5.0, 10.0, 1.0]), torch.tensor([1.0, 1.0, 1.0]))
    5.0
    """
    if real.ndim != 1 or real.shape != fake.shape or len(real) < 2:
        raise InputError(
            f"Spectra of shapes {tuple(real.shape)} and {tuple(fake.shape)} were compared; give (R,) twice."
        )
    a, b = real[1:].double(), fake[1:].double()
    if not bool(((a > 0) & (b > 0)).all()):
        raise InputError(
            "A spectrum has a frequency without any power, whose decibels are infinite; give varied images."
        )
    return float(10 * (a.log10() - b.log10()).abs().mean())


def _rings(power: Tensor) -> Tensor:
    """Average a table of power (H, H) over rings about frequency 0: (H // 2 + 1,). Corners beyond are left out."""
    H = len(power)
    steps = torch.fft.fftfreq(H, 1 / H, dtype=torch.float64, device=power.device)
    radius = (steps[:, None].square() + steps.square()).sqrt().round().long().flatten()
    inside = radius <= H // 2
    sums = torch.zeros(H // 2 + 1, dtype=torch.float64, device=power.device)
    sums.index_add_(0, radius[inside], power.flatten()[inside])
    return sums / torch.bincount(radius[inside], minlength=H // 2 + 1)
