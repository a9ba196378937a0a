"""StyleGAN2's discriminator: residual blocks that halve an image, and the variation of a minibatch.

Source: Karras et al. 2020, section 4.1 and appendix B (https://arxiv.org/abs/1912.04958).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from zerosum.layers.minibatch_stddev import append_deviation
from zerosum.layers.rectified import RectifiedConv, RectifiedLinear
from zerosum.networks.stylegan2 import Mapping

MAPPING = 8
"""Dense layers from a label to what the last layer is projected on."""


class StyleDiscriminator(nn.Module):
    """Images, and labels where there are classes, to one logit each.

    Args:
        colours: channels of an image.
        widths: channels of the maps at each resolution, from the smallest.
        start: (H, W) of the smallest maps.
        group: samples whose standard deviation is taken together.
        residual: whether blocks have a skip connection.
        classes: of the labels, 0 without.
    """

    logit_layer = "head"

    def __init__(
        self,
        colours: int,
        widths: Sequence[int],
        start: tuple[int, int],
        *,
        group: int = 4,
        residual: bool = True,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.group = group
        falling = widths[::-1]
        self.from_image = RectifiedConv(colours, falling[0], 1)
        self.blocks = nn.Sequential(*(_Block(width, after, residual) for width, after in pairwise(falling)))
        last = falling[-1]
        self.last = RectifiedConv(last + 1, last, 3)
        self.dense = RectifiedLinear(last * start[0] * start[1], last)
        self.head = RectifiedLinear(last, last if classes else 1, rectified=False)
        self.mapping = Mapping(0, last, MAPPING, classes=classes) if classes else None

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, C, H, W), and labels (N,) where there are classes, to logits (N,)."""
        maps = self.blocks(self.from_image(image))
        maps = self.last(append_deviation(maps, min(self.group, len(maps))))
        outputs = self.head(self.dense(maps.flatten(1)))
        if self.mapping is None:
            return outputs.flatten()
        return (outputs * self.mapping(None, labels)).sum(1) / math.sqrt(outputs.shape[1])


class _Block(nn.Module):
    """Two convolutions, the second halving the maps, beside a halving 1x1 convolution."""

    def __init__(self, width: int, after: int, residual: bool) -> None:
        super().__init__()
        self.convs = nn.Sequential(RectifiedConv(width, width, 3), RectifiedConv(width, after, 3, down=True))
        self.skip = RectifiedConv(width, after, 1, down=True, rectified=False) if residual else None

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, K, H / 2, W / 2)."""
        if self.skip is None:
            return self.convs(maps)
        return (self.convs(maps) + self.skip(maps)) * math.sqrt(0.5)
