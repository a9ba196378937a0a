"""The convolutional networks of spectrally normalised GANs: DCGAN's with 3x3 convolutions between those that halve.

Source: Miyato et al. 2018, table 3 (https://arxiv.org/abs/1802.05957).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.norms import Norm, norm_layers
from zerosum.layers.virtual_batch_norm import add_reference
from zerosum.networks.dcgan import WIDEST, halvings

SLOPE = 0.1
"""Of the discriminator's leaky ReLU."""


class DeepConvolutionalGenerator(nn.Module):
    """Latents to images: a dense layer, 4x4 transposed convolutions of stride 2 with a norm, a 3x3 to the image.

    Args:
        latent: Z, values in a latent.
        shape: (C, H, W) of an image.
        width: channels of the last hidden layer; each before has twice those of the next, at most 8 times this.
        norm: after every transposed convolution.
    """

    def __init__(self, latent: int, shape: tuple[int, ...], width: int, norm: Norm = "batch") -> None:
        super().__init__()
        depth, *start = halvings(shape)
        channels = [width * min(WIDEST, 2**step) for step in reversed(range(depth + 1))]
        self.start = (channels[0], *start)
        self.dense = nn.Linear(latent, channels[0] * start[0] * start[1])
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(channels):
            layers.append(ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1))
            layers += [*norm_layers(norm, fan_out), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, Conv2d(channels[-1], shape[0], 3, padding=1), nn.Tanh())
        if norm == "virtual-batch":
            add_reference(self, (latent,))

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, Z) to (N, C, H, W) in [-1, 1]."""
        return self.layers(self.dense(latent).view(-1, *self.start).contiguous(memory_format=torch.channels_last))


class DeepConvolutionalDiscriminator(nn.Module):
    """Images to one logit each: a 3x3 and a 4x4 of stride 2 for each halving, a last 3x3, and a dense layer.

    Args:
        shape: (C, H, W) of an image.
        width: channels of the first layers; each halving doubles them, up to 8 times this.
    """

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        depth, *left = halvings(shape)
        channels = [width * min(WIDEST, 2**step) for step in range(depth + 1)]
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip([shape[0], *channels], channels[:-1], strict=False):
            layers += [Conv2d(fan_in, fan_out, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
            layers += [Conv2d(fan_out, fan_out, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        layers += [Conv2d(channels[-2], channels[-1], 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.dense = nn.Linear(channels[-1] * left[0] * left[1], 1)

    def features(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to the last hidden layer, (N, F, h, w)."""
        return self.layers(image)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to logits (N,)."""
        return self.dense(self.layers(image).flatten(1)).flatten()
