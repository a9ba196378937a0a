"""VGG19 up to its last convolution, with weights from a file: perceptual features of photographs.

Source: Simonyan & Zisserman 2015, table 1, E (https://arxiv.org/abs/1409.1556); names and normalisation of the
weights are torchvision's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.runtime.external_weights import read_weights

NUMBERS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
WIDTHS = (64, 64, 128, 128, 256, 256, 256, 256, *[512] * 8)
LAYERS = dict(zip(NUMBERS, WIDTHS, strict=True))
"""Channels of each convolution, by its number in torchvision's `features`."""
POOLED = (5, 10, 19, 28)
"""Convolutions before which the maps are halved."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's RGB values in [0, 1]."""
SMALLEST = 16
"""Pixels a side of the smallest image that can be halved four times."""


@dataclass(frozen=True, eq=False)
class VGG19:
    """The classifier's convolutions. No module: it is never trained, and no checkpoint keeps it."""

    layers: dict[int, tuple[Tensor, Tensor]]
    """Weight (K, C, 3, 3) and bias (K,) of each convolution."""

    def __call__(self, image: Tensor) -> Tensor:
        """Map gray or RGB images (N, C, H, W) in [-1, 1] to phi_5,4, (N, 512, H / 16, W / 16), after its ReLU.

        Computed in float32, also under autocast, whose rounding adds up over sixteen layers.
        """
        with torch.autocast(image.device.type, enabled=False):
            maps = normalised(image.float())
            for number, (weight, bias) in self.layers.items():
                maps = functional.max_pool2d(maps, 2) if number in POOLED else maps
                maps = functional.conv2d(maps, weight, bias, padding=1).relu()
        return maps

    def to(self, device: torch.device) -> VGG19:
        """Return the same on `device`."""
        return VGG19({number: (weight.to(device), bias.to(device)) for number, (weight, bias) in self.layers.items()})


def normalised(image: Tensor) -> Tensor:
    """Bring images (N, 1 or 3, H, W) in [-1, 1] to what the classifier was trained on, (N, 3, H, W)."""
    mean, deviation = (image.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return ((image + 1) / 2 - mean) / deviation


def read_vgg19(path: Path) -> VGG19:
    """Read weights in torchvision's names, features.0.weight to features.34.bias; others in the file are passed over.

    Raises:
        InputError: The file is not there, holds something else, or lacks weights of these names and shapes.
    """
    given = read_weights(path)
    layers, before = {}, 3
    for number, channels in LAYERS.items():
        shapes = {f"features.{number}.weight": (channels, before, 3, 3), f"features.{number}.bias": (channels,)}
        for name, shape in shapes.items():
            found = tuple(given[name].shape) if name in given else "nothing"
            if found != shape:
                raise InputError(
                    f"{path} has {found} where VGG19 has {name} of {shape}: give VGG19's in torchvision's names."
                )
        weight, bias = (given[name].float() for name in shapes)
        layers[number], before = (weight, bias), channels
    return VGG19(layers)
