"""Fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from zerosum.layers.dropout import Dropout

Activation = Literal["relu", "leaky_relu", "tanh"]


class Dense(nn.Module):
    """A multilayer perceptron from flattened samples, or vectors, to an output of any shape.

    Args:
        inputs: values per sample going in.
        hidden: widths of the hidden layers.
        shape: shape of one sample going out; () for one logit per sample.
        activation: after each hidden layer; leaky_relu has the slope 0.2.
        dropout: share of hidden values dropped in training.
        bound: "tanh" keeps the output in [-1, 1]; "none" leaves it as it is.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        shape: tuple[int, ...] = (),
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        bound: Literal["tanh", "none"] = "none",
    ) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip((inputs, *hidden), hidden, strict=False):
            layers += [nn.Linear(fan_in, fan_out), _activation(activation)]
            if dropout:
                layers.append(Dropout(dropout))
        layers.append(nn.Linear((inputs, *hidden)[-1], math.prod(shape)))
        if bound == "tanh":
            layers.append(nn.Tanh())
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, *any) to (N, *shape)."""
        return self.layers(x.flatten(1)).view(x.shape[0], *self.shape)


def _activation(name: Activation) -> nn.Module:
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "tanh": nn.Tanh()}[name]


def initialise_orthogonal(network: nn.Module, gain: float) -> None:
    """Give every linear layer of `network` orthogonal weights of `gain` and no bias (Saxe et al. 2014)."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, gain)
            nn.init.zeros_(module.bias)


def initialise_he(network: nn.Module) -> None:
    """Give linear layers before a ReLU the uniform weights of He et al. 2015, and the last Glorot's (2010); no bias.

    Source: Gulrajani et al. 2017, authors' code, gan_toy.py.
    """
    *hidden, last = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for layer in hidden:
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    nn.init.xavier_uniform_(last.weight)
    for layer in (*hidden, last):
        nn.init.zeros_(layer.bias)
