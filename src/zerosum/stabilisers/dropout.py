"""Dropout in the discriminator (Srivastava et al. 2014): it cannot memorise single images.

Source: Srivastava et al. 2014, section 4 (https://jmlr.org/papers/v15/srivastava14a.html).
"""

from __future__ import annotations

from typing import Any

from torch import nn

from zerosum.errors import InputError
from zerosum.layers import dropout
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, weight_layers


class Dropout(Stabiliser):
    """A share of what enters each layer of the discriminators but the first is dropped in training.

    Args:
        value: the share, below 1.
    """

    def __init__(self, value: float = 0.25) -> None:
        super().__init__(value)
        if value >= 1:
            raise InputError(f"The stabiliser {self.name} got the share {value}: give a number above 0 and below 1.")
        self._drop = dropout.Dropout(value)

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the layers behind those that take samples.

        Raises:
            InputError: a discriminator has one layer alone.
        """
        for network in discriminators_of(recipe, self.name):
            first, *others = weight_layers(network).values()
            hidden = [layer for layer in others if not _takes_images(layer, first)]
            if not hidden:
                raise InputError(f"--stabilise {self.name} found no hidden layer in the discriminator: leave it out.")
            for layer in hidden:
                layer.register_forward_pre_hook(self._thin)

    def _thin(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return (self._drop(inputs[0]), *inputs[1:]) if layer.training else None


def _takes_images(layer: nn.Module, first: nn.Module) -> bool:
    """Whether a convolution takes as many channels as the first: progressive growing has such a one for each size."""
    channels = getattr(layer, "in_channels", None)
    return channels is not None and channels == getattr(first, "in_channels", None)
