"""The networks of the auxiliary classifier GAN: a discriminator with two heads, and those of the paper's tables.

Source: Odena et al. 2017, section 3 and appendix A (https://arxiv.org/abs/1610.09585).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.dropout import Dropout
from zerosum.layers.norms import Norm, norm_layers
from zerosum.layers.virtual_batch_norm import add_reference
from zerosum.networks.dcgan import WIDEST, halvings, initialise


class TwoHeads(nn.Module):
    """A trunk with two linear heads: the logit of the source, real or generated, and the logits of the classes.

    Args:
        trunk: maps samples to (N, ...) features.
        features: values that the trunk ends in, per sample.
        classes: K.
    """

    logit_layer = "source"

    def __init__(self, trunk: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.source = nn.Linear(features, 1)
        self.classes = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map samples (N, *shape) to logits of being real, (N,), and of the classes, (N, K)."""
        features = self.trunk(x).flatten(1)
        return self.source(features).flatten(), self.classes(features)


class DenseStartGenerator(nn.Module):
    """A dense layer to a map, doubled by 5x5 transposed convolutions with a norm until it is an image.

    Args:
        latent: number of values in a latent.
        shape: (C, H, W) of an image.
        width: channels of the last hidden layer; each layer before has twice those of the next, at most 8 times this.
        norm: after every layer but the first and the last.
    """

    def __init__(self, latent: int, shape: tuple[int, ...], width: int, norm: Norm = "batch") -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [width * min(WIDEST, 2**step) for step in reversed(range(depth))]
        self.start = channels[0], height, breadth
        self.dense = nn.Linear(latent, channels[0] * height * breadth)
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(channels):
            layers += [_double(fan_in, fan_out), *norm_layers(norm, fan_out), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, _double(channels[-1], shape[0]), nn.Tanh())
        initialise(self)
        if norm == "virtual-batch":
            add_reference(self, (latent,))

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, Z) to (N, C, H, W) in [-1, 1]."""
        maps = self.dense(latent).relu().view(len(latent), *self.start)
        return self.layers(maps.contiguous(memory_format=torch.channels_last))


def alternating_layers(
    shape: tuple[int, ...], width: int, *, dropout: float, norm: Norm = "batch"
) -> tuple[nn.Sequential, tuple[int, int, int]]:
    """Build 3x3 convolutions of stride 2 and 1 in turn, each with leaky ReLU and dropout, a norm after the first.

    Args:
        shape: (C, H, W) of an image.
        width: channels of the first layer; each next one has twice as many, at most 32 times this.
        dropout: share of values dropped after every activation.
        norm: after every layer but the first.

    Returns:
        The layers, and the shape (F, h, w) of the maps that they end in.
    """
    depth, height, breadth = halvings(shape)
    channels = [width * min(32, 2**step) for step in range(2 * depth)]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(zip([shape[0], *channels], channels, strict=False)):
        layers.append(Conv2d(fan_in, fan_out, 3, stride=1 if index % 2 else 2, padding=1))
        layers += norm_layers(norm, fan_out) if index else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers += [Dropout(dropout)] if dropout else []
    network = nn.Sequential(*layers)
    if norm == "virtual-batch":
        add_reference(network, shape)
    return network, (channels[-1], height, breadth)


def _double(fan_in: int, fan_out: int) -> ConvTranspose2d:
    return ConvTranspose2d(fan_in, fan_out, 5, stride=2, padding=2, output_padding=1)
