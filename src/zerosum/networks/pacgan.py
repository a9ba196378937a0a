"""Networks of PacGAN's experiments on mixtures in the plane: batch norm in the generator, maxout in the discriminator.

Source: Lin et al. 2018, section 4.1 (https://arxiv.org/abs/1712.04086), and its published code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

WEIGHT_STD = 0.02
"""Standard deviation of every initial weight; biases start at 0."""

PIECES = 5
"""Linear pieces of a maxout unit."""


class BatchNormGenerator(nn.Module):
    """A perceptron with batch norm and ReLU after every hidden layer, which has no bias of its own.

    Args:
        inputs: values per latent.
        hidden: widths of the hidden layers.
        shape: shape of one sample.
        bound: "tanh" keeps the output in [-1, 1]; "none" leaves it as it is.
    """

    def __init__(
        self, inputs: int, hidden: Sequence[int], shape: tuple[int, ...], *, bound: Literal["tanh", "none"] = "none"
    ) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip((inputs, *hidden), hidden, strict=False):
            # Statistics at rest: those of the last 20 batches or so.
            layers += [_linear(fan_in, fan_out, bias=False), nn.BatchNorm1d(fan_out, eps=1e-4, momentum=0.05)]
            layers.append(nn.ReLU())
        layers.append(_linear((inputs, *hidden)[-1], math.prod(shape)))
        if bound == "tanh":
            layers.append(nn.Tanh())
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, inputs) to (N, *shape)."""
        return self.layers(latent).view(latent.shape[0], *self.shape)


class MaxoutDiscriminator(nn.Module):
    """A perceptron of maxout layers: each unit is the largest of `PIECES` linear functions.

    Args:
        inputs: values per sample.
        hidden: widths of the hidden layers.

    Source: maxout is Goodfellow et al. 2013, section 2 (https://arxiv.org/abs/1302.4389).
    """

    def __init__(self, inputs: int, hidden: Sequence[int]) -> None:
        super().__init__()
        widths = zip((inputs, *hidden), hidden, strict=False)
        self.hidden = nn.ModuleList(_linear(fan_in, PIECES * fan_out) for fan_in, fan_out in widths)
        self.last = _linear((inputs, *hidden)[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, *any) to logits (N,)."""
        x = x.flatten(1)
        for layer in self.hidden:
            x = layer(x).unflatten(1, (-1, PIECES)).amax(2)
        return self.last(x).squeeze(1)


def _linear(fan_in: int, fan_out: int, *, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out, bias=bias)
    nn.init.normal_(layer.weight, std=WEIGHT_STD)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
