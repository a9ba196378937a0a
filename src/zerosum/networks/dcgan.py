"""DCGAN's convolutional generator and discriminator, for any resolution, number of channels and aspect.

Source: Radford et al. 2016, section 3 (https://arxiv.org/abs/1511.06434).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn

from zerosum.data.halving import halved, is_halvable, nearest_halvable
from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d, ConvTranspose2d, UpsampleConv
from zerosum.layers.dropout import Dropout
from zerosum.layers.norms import Norm, has_shift, norm_layers
from zerosum.layers.virtual_batch_norm import VirtualBatchNorm2d, add_reference

Upsampling = Literal["transposed", "upsample"]
WIDEST = 8
"""Widest layer, in units of the narrowest."""


def halvings(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (depth, height, width): how often an image of `shape` (C, H, W) can be halved, and what is left.

    >>> halvings((1, 64, 64)), halvings((3, 28, 28)), halvings((3, 48, 64))
    ((4, 4, 4), (2, 7, 7), (3, 6, 8))

    Raises:
        InputError: the image cannot be halved down to 8 pixels or less on its shorter side.
    """
    size = (shape[1], shape[2])
    if not is_halvable(size):
        fit = nearest_halvable(size)
        raise InputError(
            f"Images of {size[0]}x{size[1]} cannot be halved down to 8 pixels; --size {fit[0]}x{fit[1]} would fit."
        )
    return halved(size)


class HalvingOptions(TypedDict, total=False):
    """Options of `halving_layers`."""

    norm: Norm
    bias: bool
    dropout: float
    undropped: int
    widest: int


def halving_layers(
    shape: tuple[int, ...],
    width: int,
    *,
    norm: Norm = "batch",
    bias: bool | None = None,
    dropout: float = 0.0,
    undropped: int = 0,
    widest: int = WIDEST,
) -> tuple[nn.Sequential, tuple[int, int, int]]:
    """Build the discriminator's hidden layers: 4x4 convolutions of stride 2 and leaky ReLUs.

    Args:
        shape: (C, H, W) of an image.
        width: channels of the first layer; each next one has twice as many, at most `widest` times this.
        norm: after every layer but the first; not "batch" for critics with a gradient penalty and for looking ahead.
        bias: whether convolutions have one; by default where the norm has no shift.
        dropout: share of values dropped after the activations.
        undropped: layers at the start without dropout.
        widest: channels of the widest layers, in units of the narrowest.

    Returns:
        The layers, and the shape (F, h, w) of the maps that they end in.
    """
    depth, height, breadth = halvings(shape)
    channels = [width * min(widest, 2**step) for step in range(depth)]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(zip([shape[0], *channels], channels, strict=False)):
        biased = not has_shift(norm) if bias is None else bias
        layers.append(Conv2d(fan_in, fan_out, 4, stride=2, padding=1, bias=biased))
        layers += norm_layers(norm, fan_out) if index > 0 else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers += [Dropout(dropout)] if dropout and index >= undropped else []
    network = nn.Sequential(*layers)
    if norm == "virtual-batch":
        add_reference(network, shape)
    return network, (channels[-1], height, breadth)


class ConvolutionalGenerator(nn.Module):
    """Latents to images: a 4x4 (or so) map, doubled until it is an image; a norm everywhere but at the output.

    Args:
        latent: number of values in a latent.
        shape: (C, H, W) of an image.
        width: channels of the last hidden layer; each layer before has twice those of the next, at most 8 times this.
        form: "transposed" doubles by transposed convolutions (4x4, stride 2); "upsample" by nearest-neighbour
            upsampling and a 3x3 convolution, which leaves no checkerboard (Odena et al. 2016).
        widest: channels of the widest layers, in units of the narrowest.
        slope: of the leaky ReLUs of the form "transposed"; 0 for ReLUs.
        bias: whether the last convolution of the form "transposed" has one.
        norm: after every layer but the last.
    """

    def __init__(
        self,
        latent: int,
        shape: tuple[int, ...],
        width: int,
        form: Upsampling = "transposed",
        *,
        widest: int = WIDEST,
        slope: float = 0.0,
        bias: bool = False,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [width * min(widest, 2**step) for step in reversed(range(depth))]
        if form == "transposed":
            self.start: nn.Module = _TransposedStart(latent, channels[0], (height, breadth), slope, norm)
            self.layers = _transposed_layers([*channels, shape[0]], slope, norm, bias=bias)
        else:
            self.start = _DenseStart(latent, channels[0], (height, breadth), norm)
            self.layers = _upsample_layers([*channels, shape[0]], norm)
        initialise(self)
        if norm == "virtual-batch":
            add_reference(self, (latent,))

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, Z) to (N, C, H, W) in [-1, 1]."""
        return self.layers(self.start(latent))


class ConvolutionalDiscriminator(nn.Module):
    """Images to one logit each: halved by 4x4 convolutions of stride 2 until 4x4 (or so) is left.

    Args:
        shape: (C, H, W) of an image.
        width: channels of the first layer.
        options: of `halving_layers`; the logit has a bias where they have one.
    """

    def __init__(self, shape: tuple[int, ...], width: int, **options: Unpack[HalvingOptions]) -> None:
        super().__init__()
        self.layers, (channels, height, breadth) = halving_layers(shape, width, **options)
        self.head = Conv2d(channels, 1, (height, breadth), bias=self.layers[0].bias is not None)
        initialise(self)

    def features(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to the last hidden layer, (N, F, h, w)."""
        return self.layers(image)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to logits (N,)."""
        return self.head(self.layers(image)).flatten()


class _TransposedStart(nn.Module):
    def __init__(self, latent: int, channels: int, size: tuple[int, int], slope: float, norm: Norm) -> None:
        super().__init__()
        self.expand = ConvTranspose2d(latent, channels, size, bias=not has_shift(norm))
        (self.norm,) = norm_layers(norm, channels) or [nn.Identity()]
        self.activation = _activation(slope)

    def forward(self, latent: Tensor) -> Tensor:
        return self.activation(self.norm(self.expand(latent[:, :, None, None])))


class _DenseStart(nn.Module):
    def __init__(self, latent: int, channels: int, size: tuple[int, int], norm: Norm) -> None:
        super().__init__()
        self.size = size
        self.expand = nn.Linear(latent, channels * size[0] * size[1])
        (self.norm,) = norm_layers(norm, channels) or [nn.Identity()]

    def forward(self, latent: Tensor) -> Tensor:
        maps = self.expand(latent).view(len(latent), -1, *self.size)
        return self.norm(maps.contiguous(memory_format=torch.channels_last))


def _activation(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)


def _transposed_layers(channels: list[int], slope: float, norm: Norm, *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(channels[:-1]):
        layers.append(ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1, bias=not has_shift(norm)))
        layers += [*norm_layers(norm, fan_out), _activation(slope)]
    layers += [ConvTranspose2d(channels[-2], channels[-1], 4, stride=2, padding=1, bias=bias), nn.Tanh()]
    return nn.Sequential(*layers)


def _upsample_layers(channels: list[int], norm: Norm) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(channels[:-1]):
        layers += [UpsampleConv(fan_in, fan_out), nn.ReLU(), *norm_layers(norm, fan_out)]
    layers += [UpsampleConv(channels[-2], channels[-1]), nn.Tanh()]
    return nn.Sequential(*layers)


def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and norms' scales from N(1, 0.02); biases are 0 (DCGAN, section 4)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | UpsampleConv):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm | VirtualBatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
