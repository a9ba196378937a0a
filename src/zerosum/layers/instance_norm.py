"""Instance normalisation, fast on channels-last images: torch's own copies every map to another order and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class InstanceNorm2d(nn.Module):
    """Bring each channel of each image to mean 0 and variance 1, and then to a learned scale and shift if `affine`.

    The statistics are always those of the image itself, in training and in use, so that no image depends on the others
    of its batch. With `affine` it is what batch norm with its batch's statistics is for a batch of one image.

    Args:
        channels: of the maps.
        affine: whether a scale and a shift of each channel are learned; scales start at N(1, 0.02), as DCGAN's.

    Source: Ulyanov et al. 2016, eq. 4 (https://arxiv.org/abs/1607.08022).
    """

    EPSILON = 1e-5

    def __init__(self, channels: int, *, affine: bool) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.empty(channels).normal_(1.0, 0.02)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        if maps.device.type != "cpu" or torch.compiler.is_compiling():
            return functional.instance_norm(maps, weight=self.weight, bias=self.bias, eps=self.EPSILON)
        return torch.cat([self._alone(image) for image in maps.split(1)]) if len(maps) > 1 else self._alone(maps)

    def extra_repr(self) -> str:
        """Return the channels, and whether scale and shift are learned."""
        return f"{self.channels}, affine={self.weight is not None}"

    def _alone(self, image: Tensor) -> Tensor:
        """Normalise a batch of one by the kernel of batch norm, which runs on channels-last maps as they are."""
        return functional.batch_norm(image, None, None, self.weight, self.bias, training=True, eps=self.EPSILON)
