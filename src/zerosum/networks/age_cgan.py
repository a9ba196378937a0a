"""Networks of Age-cGAN: a generator and a discriminator that take a class, and an encoder of images to latents.

Source: Antipov et al. 2017, section 2 (https://arxiv.org/abs/1702.01983), which names DCGAN and, for where the class
enters, IcGAN (Perarnau et al. 2016, section 4.1, https://arxiv.org/abs/1611.06355): at the generator's input, and
behind the discriminator's first convolution. Widths are not in the paper; the form "upsampling" with the widths 64 and
32 has those of a widely used introduction.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.dropout import Dropout
from zerosum.layers.labels import append_labels
from zerosum.networks.dcgan import WIDEST, halvings, initialise

Form = Literal["transposed", "upsampling"]
SLOPE = 0.2
DROPOUT = 0.2
"""Share of values dropped after the dense layers of a generator of the form "upsampling"."""
MOMENTUM = 0.2
"""Weight of a new batch in the running statistics of a generator of the form "upsampling" (0.8 in Keras's terms)."""


class Generator(nn.Module):
    """Latents with a class appended to images: a dense layer to the smallest map, doubled until it is an image.

    Args:
        latent: values in a latent.
        classes: K.
        shape: (C, H, W) of an image.
        width: channels of the last hidden layer; each layer before has twice those of the next, at most 8 times this.
        form: "transposed" doubles by 4x4 transposed convolutions; "upsampling" by repeated pixels and 5x5
            convolutions, from a map of twice the side, behind one more dense layer.
        hidden: values of that dense layer.
    """

    def __init__(
        self, latent: int, classes: int, shape: tuple[int, ...], *, width: int, form: Form, hidden: int
    ) -> None:
        super().__init__()
        self.classes = classes
        depth, height, breadth = halvings(shape)
        skipped = int(form == "upsampling" and depth > 1)
        self.size = (height << skipped, breadth << skipped)
        channels = [width * min(WIDEST, 2**step) for step in reversed(range(depth - skipped))]
        values = channels[0] * self.size[0] * self.size[1]
        if form == "transposed":
            self.start = nn.Sequential(nn.Linear(latent + classes, values), nn.BatchNorm1d(values), nn.ReLU())
            self.layers = _transposed([*channels, shape[0]])
        else:
            self.start = nn.Sequential(
                nn.Linear(latent + classes, hidden),
                nn.LeakyReLU(SLOPE),
                Dropout(DROPOUT),
                nn.Linear(hidden, values),
                nn.BatchNorm1d(values, momentum=MOMENTUM),
                nn.LeakyReLU(SLOPE),
                Dropout(DROPOUT),
            )
            self.layers = _upsampling([*channels, shape[0]])
        initialise(self)

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:
        """Map latents (N, Z) and labels (N,) to (N, C, H, W) in [-1, 1]."""
        maps = self.start(append_labels(latent, labels, self.classes)).unflatten(1, (-1, *self.size))
        return self.layers(maps.contiguous(memory_format=torch.channels_last))


class Discriminator(nn.Module):
    """Images and their classes to one logit each; the K planes of the class join behind the first convolution.

    Args:
        shape: (C, H, W) of an image.
        classes: K.
        width: channels of the first layer; each next one has twice as many, at most 8 times this.
        kernel: side of the convolutions, of stride 2: 3 or 4.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, *, width: int, kernel: int) -> None:
        super().__init__()
        self.classes = classes
        depth, height, breadth = halvings(shape)
        channels = [width * min(WIDEST, 2**step) for step in range(depth)]
        self.first = nn.Sequential(
            Conv2d(shape[0], width, kernel, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)
        )
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise([width + classes, *channels[1:]]):
            layers.append(Conv2d(fan_in, fan_out, kernel, stride=2, padding=1))
            layers += [nn.BatchNorm2d(fan_out), nn.LeakyReLU(SLOPE, inplace=True)]
        last = channels[-1] if layers else width + classes
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(last * height * breadth, 1)
        initialise(self)

    def forward(self, image: Tensor, labels: Tensor) -> Tensor:
        """Map images (N, C, H, W) and labels (N,) to logits (N,)."""
        maps = append_labels(self.first(image), labels, self.classes)
        return self.head(self.layers(maps.contiguous(memory_format=torch.channels_last)).flatten(1)).flatten()


class Encoder(nn.Module):
    """Images to latents, without their class: 5x5 convolutions of stride 2 and two dense layers.

    Args:
        shape: (C, H, W) of an image.
        latent: values in a latent.
        width: channels of the first layer; each next one has twice as many, at most 8 times this.
        hidden: values of the first dense layer.
    """

    def __init__(self, shape: tuple[int, ...], latent: int, *, width: int, hidden: int) -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [width * min(WIDEST, 2**step) for step in range(depth)]
        layers: list[nn.Module] = []
        for index, (fan_in, fan_out) in enumerate(pairwise([shape[0], *channels])):
            layers.append(Conv2d(fan_in, fan_out, 5, stride=2, padding=2))
            layers += [nn.BatchNorm2d(fan_out)] if index else []
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(channels[-1] * height * breadth, hidden),
            nn.BatchNorm1d(hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, latent),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map images (N, C, H, W) to latents (N, Z)."""
        return self.head(self.layers(image).flatten(1))


def _transposed(channels: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(channels[:-1]):
        layers.append(ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1))
        layers += [nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, ConvTranspose2d(channels[-2], channels[-1], 4, stride=2, padding=1), nn.Tanh())


def _upsampling(channels: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(channels[:-1]):
        layers += [nn.Upsample(scale_factor=2), Conv2d(fan_in, fan_out, 5, padding=2)]
        layers += [nn.BatchNorm2d(fan_out, momentum=MOMENTUM), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(
        *layers, nn.Upsample(scale_factor=2), Conv2d(channels[-2], channels[-1], 5, padding=2), nn.Tanh()
    )
