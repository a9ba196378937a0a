"""Context encoder: images with a hole to whole images, through a bottleneck.

Source: Pathak et al. 2016, section 3.1 and figure 9 (https://arxiv.org/abs/1604.07379).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.networks.dcgan import halvings, initialise

WIDENING = 4
"""Innermost halvings, each of which has twice the channels of the one outside it; further ones have the narrowest's."""


class ContextEncoder(nn.Module):
    """Encoder of leaky units, middle, and decoder of rectified ones; batch norm everywhere but at both ends.

    The encoder halves the image until 4x4 (or so) is left; the paper's five halvings of 128x128 have 64, 64, 128, 256
    and 512 channels, four halvings have 64, 128, 256 and 512, and three the first of these. The decoder is its mirror
    image.

    Args:
        given: channels that come in.
        shape: (C, H, W) of what goes out; H and W are those of what comes in.
        width: channels of the outermost layers.
        bottleneck: units of a fully-connected middle; 0 for one that connects each channel within itself.

    Raises:
        InputError: the sides cannot be halved down to 8 pixels or less.
    """

    def __init__(self, given: int, shape: tuple[int, ...], *, width: int, bottleneck: int) -> None:
        super().__init__()
        depth, *size = halvings(shape)
        channels = [width * 2 ** max(0, step - max(0, depth - WIDENING)) for step in range(depth)]
        encoder: list[nn.Module] = [Conv2d(given, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for fan_in, fan_out in pairwise(channels):
            encoder += [Conv2d(fan_in, fan_out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(fan_out)]
            encoder.append(nn.LeakyReLU(0.2))
        middle = _narrow(channels[-1], size, bottleneck) if bottleneck else _channelwise(channels[-1], size)
        decoder: list[nn.Module] = []
        for fan_in, fan_out in pairwise(reversed(channels)):
            decoder += [ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(fan_out)]
            decoder.append(nn.ReLU())
        decoder += [ConvTranspose2d(width, shape[0], 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*encoder, *middle, *decoder)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C', H, W) to (N, C, H, W) in [-1, 1]."""
        return self.layers(image)


class ChannelwiseLinear(nn.Module):
    """Connects all places of a map with all, each channel within itself (section 3.1).

    Args:
        channels: of the maps.
        places: pixels of a map.
    """

    def __init__(self, channels: int, places: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, places, places) / math.sqrt(places))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, h, w) to the same shape."""
        whole = torch.bmm(maps.flatten(2).transpose(0, 1), self.weight)
        return whole.transpose(0, 1).unflatten(2, maps.shape[2:])


def _narrow(channels: int, size: list[int], units: int) -> list[nn.Module]:
    """A vector of `units`: without a norm, whose statistics a single image would not have."""
    return [
        Conv2d(channels, units, (size[0], size[1])),
        nn.LeakyReLU(0.2),
        ConvTranspose2d(units, channels, (size[0], size[1]), bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]


def _channelwise(channels: int, size: list[int]) -> list[nn.Module]:
    """Each channel within itself, then all channels of a place among each other."""
    return [
        ChannelwiseLinear(channels, math.prod(size)),
        Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]
