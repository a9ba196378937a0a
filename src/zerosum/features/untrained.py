"""Features that nothing was learnt for: the pixels themselves, and random convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.features.extractor import SENTENCE, Features, as_rgb, identity_of, rgb_levels
from zerosum.runtime import rng

CPU = torch.device("cpu")
LARGEST_SIDE = 64


class Pixels:
    """The pixels as features, in [0, 1].

    Args:
        shape: (C, H, W) of the images; F = C x H x W.
    """

    name = "pixels"

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = tuple(shape)
        self.width = torch.Size(shape).numel()
        self.identity = identity_of({}, self.name, self.shape)
        self.protocol = f"The pixels of {_spelt(self.shape)} images as they are, in [0, 1]: {self.width:,} features."

    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images of the one shape.

        Raises:
            InputError: They have another shape.
        """
        if tuple(images.shape[1:]) != self.shape:
            raise InputError(
                f"Images of {_spelt(tuple(images.shape[1:]))} were given for pixel features of {_spelt(self.shape)}: "
                "bring both sides to one --size and --channels, or choose --features random."
            )
        return Features(features=images.cpu().flatten(1).float() / 255)

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        return ((images + 1) / 2).flatten(1)


class Random:
    """Convolutions with fixed random weights: 512 features without a single opinion on what images show.

    Source: Naeem et al. 2020, section 4.3 (https://arxiv.org/abs/2002.09797): random embeddings judge images unlike
    those of ImageNet better than embeddings trained on it. Theirs is a VGG-16; this one is smaller.

    Args:
        device: where to compute.
    """

    name = "random"
    width = 512

    def __init__(self, device: torch.device = CPU) -> None:
        layers: list[nn.Module] = []
        with rng.fork(CPU, seed=0):
            for given, made in ((3, 32), (32, 64), (64, 128)):
                conv = nn.Conv2d(given, made, 3, stride=2, padding=1, bias=False)
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
                layers += [conv, nn.ReLU(inplace=True)]
        self._device = device
        self._network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval().requires_grad_(False)
        self.identity = identity_of(self._network.state_dict(), self.name)
        self.protocol = (
            "Three 3x3 convolutions with stride 2 and random weights (seed 0), averaged over quarters of the image: "
            f"512 features; input in [-1, 1], sides above {LARGEST_SIDE} averaged down to it, {SENTENCE}."
        )
        self._network.to(device)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images of any size."""
        return Features(features=self._features(to_float(as_rgb(images).to(self._device))).cpu())

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        return self._features(rgb_levels(images.to(self._device)) / 255 * 2 - 1)

    def _features(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [-1, 1] to features (N, F)."""
        H, W = x.shape[-2:]
        if max(H, W) > LARGEST_SIDE:
            x = functional.adaptive_avg_pool2d(x, (min(H, LARGEST_SIDE), min(W, LARGEST_SIDE)))
        with torch.autocast(self._device.type, enabled=False):
            return self._network(x)


def _spelt(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) for side in shape)
