"""The normalisations that a network's hidden layers may have, by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

from zerosum.errors import InputError
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.layers.pixel_norm import PixelNorm
from zerosum.layers.virtual_batch_norm import VirtualBatchNorm2d

Norm = Literal["batch", "instance", "layer", "pixel", "virtual-batch", "none"]
"""Over which axes of (N, C, H, W) statistics are taken: batch N, H, W; instance H, W; layer C, H, W; pixel C; virtual
batch H, W of the sample and of a reference batch."""


def norm_layers(kind: Norm, channels: int, *, affine: bool = True) -> list[nn.Module]:
    """Return the layer that normalises maps (N, C, H, W), or nothing for "none".

    All but "pixel" have a learned scale and shift of each channel, but where `affine` is False; virtual batch norm
    always has them.

    Sources: Ioffe & Szegedy 2015 (https://arxiv.org/abs/1502.03167), Ulyanov et al. 2016, Ba et al. 2016
    (https://arxiv.org/abs/1607.06450), Karras et al. 2018, section 4.2, Salimans et al. 2016, section 3.5.
    """
    match kind:
        case "batch":
            return [nn.BatchNorm2d(channels, affine=affine)]
        case "instance":
            return [InstanceNorm2d(channels, affine=affine)]
        case "layer":
            return [nn.GroupNorm(1, channels, affine=affine)]
        case "pixel":
            return [PixelNorm()]
        case "virtual-batch":
            return [VirtualBatchNorm2d(channels)]
        case "none":
            return []


def dense_norm_layers(kind: Norm, features: int) -> list[nn.Module]:
    """Return the layers that normalise vectors (N, F), as `norm_layers` does maps of one position.

    There are none for "instance": the one position of a feature is its own mean.
    """
    match kind:
        case "batch":
            return [nn.BatchNorm1d(features)]
        case "layer":
            return [nn.LayerNorm(features)]
        case "virtual-batch":
            return [nn.Unflatten(1, (features, 1, 1)), VirtualBatchNorm2d(features), nn.Flatten()]
        case "pixel":
            return [PixelNorm()]
        case "instance" | "none":
            return []


def require_separate(kind: Norm, flag: str) -> None:
    """Require that a norm computes each sample on its own, as a penalty of its gradient needs.

    Raises:
        InputError: it is batch norm (Gulrajani et al. 2017, section 4).
    """
    if kind == "batch":
        raise InputError(
            f"{flag} is batch, and the gradient penalty needs each logit to be of one sample: "
            "give layer, instance, pixel, virtual-batch or none."
        )


def has_shift(kind: Norm) -> bool:
    """Whether a norm has a learned shift, so that a bias before it is of no use."""
    return kind not in ("pixel", "none")
