"""PatchGAN: a fully convolutional discriminator that classifies every patch of an image.

Source: Isola et al. 2017, appendix 6.1.2 (https://arxiv.org/abs/1611.07004).
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.networks.dcgan import initialise

WIDEST = 8
"""Widest layer, in units of the narrowest."""


def receptive_field(layers: int) -> int:
    """Return the side in pixels of the patch that one logit depends on.

    >>> [receptive_field(layers) for layers in range(6)]
    [1, 16, 34, 70, 142, 286]
    """
    if layers == 0:
        return 1
    field = 1
    for stride in (1, 1, *[2] * layers):  # from the last layer to the first: (field - 1) * stride + kernel
        field = (field - 1) * stride + 4
    return field


class PatchDiscriminator(nn.Module):
    """Images to a map of logits, one for each patch.

    Args:
        shape: (C, H, W) of an image, all that it is shown counted in C.
        width: channels of the first layer; each next one has twice as many, at most 8 times this.
        layers: of stride 2: 3 look at patches of 70x70 pixels, 0 at single pixels.
        affine: whether the norms learn a scale and a shift, as batch norm does, in place of biases in the convolutions.

    Raises:
        InputError: images of `shape` are too small for so many layers.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, layers: int, affine: bool) -> None:
        super().__init__()
        _require_room(shape, layers)
        if layers == 0:
            self.layers = nn.Sequential(
                Conv2d(shape[0], width, 1),
                nn.LeakyReLU(0.2),
                Conv2d(width, 2 * width, 1, bias=not affine),
                InstanceNorm2d(2 * width, affine=affine),
                nn.LeakyReLU(0.2),
                Conv2d(2 * width, 1, 1, bias=not affine),
            )
            initialise(self)
            return
        channels = [width * min(WIDEST, 2**step) for step in range(layers + 1)]
        stack: list[nn.Module] = [Conv2d(shape[0], width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for index, (fan_in, fan_out) in enumerate(pairwise(channels)):
            stride = 2 if index < layers - 1 else 1
            stack.append(Conv2d(fan_in, fan_out, 4, stride=stride, padding=1, bias=not affine))
            stack += [InstanceNorm2d(fan_out, affine=affine), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*stack, Conv2d(channels[-1], 1, 4, padding=1))
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to logits (N, 1, H', W')."""
        return self.layers(image)


def _require_room(shape: tuple[int, ...], layers: int) -> None:
    """Check that at least one patch is left, and maps of more than one pixel to take statistics of."""
    _, height, width = shape
    least = 3 * 2**layers if layers else 2
    if min(height, width) >= least:
        return
    fitting = next((fewer for fewer in range(layers, 0, -1) if min(height, width) >= 3 * 2**fewer), 0)
    raise InputError(
        f"Images of {height}x{width} are too small for a patch discriminator of {layers} layers, which needs {least} "
        f"pixels a side: give --layers {fitting} or a larger --size."
    )
