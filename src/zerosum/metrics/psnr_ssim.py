"""PSNR and SSIM of images against their references, always named with the channels and the border they are taken on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from zerosum.errors import InputError

Channels = Literal["rgb", "y"]

_LUMA = (65.481, 128.553, 24.966)  # BT.601: Y from 16 to 235 of RGB in [0, 1]
_OFFSET = 16.0
_SIDE, _SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03


@dataclass(frozen=True)
class Paired:
    """A figure of each image against its reference."""

    name: str
    """What was measured on what, such as "PSNR on Y, 4 pixels of border left out". Other names do not compare."""

    values: Tensor
    """(N,), float64."""

    @property
    def value(self) -> float:
        """Mean over images."""
        return float(self.values.mean())


def psnr(images: Tensor, references: Tensor, *, channels: Channels = "rgb", border: int = 0) -> Paired:
    """Peak signal-to-noise ratio of each image: 10 log10(peak^2 / MSE), decibels; infinite for equal images.

    Args:
        images: (N, C, H, W), uint8, or floating-point in [0, 1]: black is 0, white 1.
        references: likewise.
        channels: "rgb" for all channels as they are, "y" for the luma of RGB images (BT.601, 16 to 235 of 255), as
            super-resolution reports it. The peak is 255, or 1, for both.
        border: pixels left out on each side; 4 at a magnification of 4.

    Raises:
        InputError: Images that do not fit their references, values outside the range, or a border that leaves nothing.

    >>> black = torch.zeros(1, 1, 2, 2)
    >>> round(psnr(black + 0.1, black).value, 4)
    20.0
    """
    a, b = _pair(images, references, channels, border)
    errors = (a - b).square().flatten(1).mean(1)
    return Paired(_name("PSNR", channels, border), -10 * errors.log10())


def ssim(images: Tensor, references: Tensor, *, channels: Channels = "rgb", border: int = 0) -> Paired:
    """Structural similarity of each image, -1 to 1, the mean over places where the whole 11x11 window fits.

    Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, moments with weights that sum to 1; channels are averaged.

    Args:
        images: (N, C, H, W), uint8, or floating-point in [0, 1].
        references: likewise.
        channels: as in `psnr`.
        border: as in `psnr`.

    Raises:
        InputError: As in `psnr`, or images below 11 pixels a side.

    Source: Wang et al. 2004, section III.B, eq. 13 to 17.

    >>> x = torch.linspace(0, 1, 144).view(1, 1, 12, 12)
    >>> ssim(x, x).value
    1.0
    """
    a, b = _pair(images, references, channels, border)
    if min(a.shape[2:]) < _SIDE:
        raise InputError(
            f"SSIM needs {_SIDE} pixels a side, and {a.shape[2]}x{a.shape[3]} are left; give larger images or a "
            "smaller border."
        )
    N, C = a.shape[:2]
    # A chunk of images at a time: the five maps in float64 are ten times their size.
    chunks = [_similarity(x, y) for x, y in zip(a.split(16), b.split(16), strict=True)]
    return Paired(_name("SSIM", channels, border), torch.cat(chunks).view(N, C).mean(1))


def luma(images: Tensor) -> Tensor:
    """Luma of RGB images by BT.601 with head- and footroom: (N, 3, H, W) in [0, 1] -> (N, 1, H, W) in [16, 235] / 255.

    >>> luma(torch.ones(1, 3, 1, 1)).mul(255).item()
    235.0
    """
    weights = torch.tensor(_LUMA, dtype=images.dtype, device=images.device)
    return (torch.einsum("nchw,c->nhw", images, weights) + _OFFSET).div(255)[:, None]


def _pair(images: Tensor, references: Tensor, channels: Channels, border: int) -> tuple[Tensor, Tensor]:
    """Check both and bring them to float64 in [0, 1], on the channels and within the border asked for."""
    if images.shape != references.shape or images.ndim != 4 or images.numel() == 0:
        raise InputError(
            f"Images {tuple(images.shape)} were compared with references {tuple(references.shape)}; give both as "
            "(N, C, H, W), of one size."
        )
    if channels not in ("rgb", "y") or (channels == "y" and images.shape[1] != 3):
        raise InputError(
            f"Channels {channels!r} were asked for of images with {images.shape[1]}; give 'rgb', or 'y' for RGB images."
        )
    if border < 0 or 2 * border >= min(images.shape[2:]):
        raise InputError(f"A border of {border} leaves nothing of {images.shape[2]}x{images.shape[3]} pixels.")
    sides = [_unit(side) for side in (images, references)]
    if channels == "y":
        sides = [luma(side) for side in sides]
    H, W = images.shape[2:]
    return tuple(side[:, :, border : H - border, border : W - border] for side in sides)  # type: ignore[return-value]


def _unit(images: Tensor) -> Tensor:
    if images.dtype == torch.uint8:
        return images.double().div(255)
    wide = images.double()
    if not images.is_floating_point() or not bool(((wide >= 0) & (wide <= 1)).all()):
        raise InputError(
            f"Images of {images.dtype} with values from {float(wide.min()):.4g} to {float(wide.max()):.4g} were given; "
            "give uint8, or floating-point values in [0, 1]."
        )
    return wide


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """Mean SSIM of each channel: (N, C, H, W) twice -> (N * C,)."""
    a, b = (side.flatten(0, 1)[:, None] for side in (a, b))
    m_a, m_b = _blur(a), _blur(b)
    v_a, v_b, v_ab = _blur(a * a) - m_a * m_a, _blur(b * b) - m_b * m_b, _blur(a * b) - m_a * m_b
    c1, c2 = _K1**2, _K2**2
    likeness = (2 * m_a * m_b + c1) * (2 * v_ab + c2)
    return (likeness / ((m_a * m_a + m_b * m_b + c1) * (v_a + v_b + c2))).flatten(1).mean(1)


def _blur(planes: Tensor) -> Tensor:
    """Weigh by the Gaussian window where it fits: (P, 1, H, W) -> (P, 1, H - 10, W - 10)."""
    steps = torch.arange(_SIDE, dtype=planes.dtype, device=planes.device) - _SIDE // 2
    window = (-(steps**2) / (2 * _SIGMA**2)).exp()
    window = window / window.sum()
    return functional.conv2d(functional.conv2d(planes, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))


def _name(figure: str, channels: Channels, border: int) -> str:
    on = "Y" if channels == "y" else "all channels"
    return f"{figure} on {on}" + (f", {border} pixels of border left out" if border else "")
