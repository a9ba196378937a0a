"""U-Net: images to images of the same size, by an encoder and a decoder with skip connections at every size.

Source: Isola et al. 2017, appendix 6.1.1 (https://arxiv.org/abs/1611.07004).
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.dropout import Dropout
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.networks.dcgan import initialise

DEEPEST = 8
"""Halvings of the paper's network, for 256x256 images."""
WIDEST = 8
"""Widest layer, in units of the narrowest."""
NOISY = 3
"""Layers after the innermost that drop values."""


def unet_depth(shape: tuple[int, ...]) -> int:
    """Return how often a U-Net halves images of `shape` (C, H, W): as often as it can, at most 8 times.

    >>> unet_depth((3, 256, 256)), unet_depth((3, 128, 128)), unet_depth((3, 48, 64)), unet_depth((3, 512, 512))
    (8, 7, 4, 8)

    Raises:
        InputError: the sides cannot be halved twice.
    """
    _, height, width = shape
    depth = 0
    while height % 2 == width % 2 == 0 and depth < DEEPEST:
        depth, height, width = depth + 1, height // 2, width // 2
    if depth < 2:
        _, height, width = shape
        fit = "x".join(str(max(16, round(side / 16) * 16)) for side in (height, width))
        raise InputError(
            f"Images of {height}x{width} cannot be halved twice, as a U-Net needs: --size {fit} would fit."
        )
    return depth


class UNet(nn.Module):
    """Encoder and decoder with a shortcut at every size, and dropout that also acts in evaluation: its only noise.

    Args:
        given: channels of the images that come in.
        made: channels of the images that go out.
        width: channels of the outermost layer; each next one has twice as many, at most 8 times this.
        depth: halvings. Images are multiples of 2^depth on both sides.
        dropout: share of values dropped by the first three layers of the decoder.
    """

    def __init__(self, given: int, made: int, *, width: int, depth: int, dropout: float = 0.5) -> None:
        super().__init__()
        channels = [width * min(WIDEST, 2**step) for step in range(depth)]
        self.down = nn.ModuleList()
        for index, (fan_in, fan_out) in enumerate(zip([given, *channels], channels, strict=False)):
            bare = index in (0, depth - 1)  # statistics of the innermost map, which may be one pixel, would zero it
            self.down.append(_Layer(Conv2d(fan_in, fan_out, 4, stride=2, padding=1, bias=False), bare=bare))
        self.up = nn.ModuleList()
        for index, fan_out in enumerate(reversed(channels[:-1])):
            fan_in = channels[-1] if index == 0 else 2 * channels[-1 - index]
            layer = ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1, bias=False)
            self.up.append(_Layer(layer, bare=False, dropout=dropout if index < NOISY else 0.0))
        self.out = ConvTranspose2d(2 * width, made, 4, stride=2, padding=1)
        initialise(self)
        self.multiple = 2**depth

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C', H, W) to (N, C, H, W) in [-1, 1].

        Raises:
            InputError: a side is no multiple of 2^depth.
        """
        height, width = image.shape[2:]
        if height % self.multiple or width % self.multiple:
            fit = "x".join(str(max(1, round(side / self.multiple)) * self.multiple) for side in (height, width))
            raise InputError(
                f"An image of {height}x{width} was given to a U-Net that halves it to multiples of {self.multiple}: "
                f"{fit} would fit."
            )
        maps = [self.down[0](image)]
        for layer in self.down[1:]:
            maps.append(layer(leaky_relu(maps[-1], 0.2)))
        hidden = maps.pop()
        for layer in self.up:
            hidden = torch.cat([layer(relu(hidden)), maps.pop()], dim=1)
        return self.out(relu(hidden)).tanh()


class Noise(Dropout):
    """Dropout that also acts in evaluation, the paper's noise in place of a latent (section 3.2)."""

    def train(self, mode: bool = True) -> Self:
        """Stay as in training."""
        return super().train(True)


class _Layer(nn.Sequential):
    """A convolution, its norm unless `bare`, and noise."""

    def __init__(self, convolution: Conv2d | ConvTranspose2d, *, bare: bool, dropout: float = 0.0) -> None:
        norm = [] if bare else [InstanceNorm2d(convolution.out_channels, affine=True)]
        super().__init__(convolution, *norm, *([Noise(dropout)] if dropout else []))
