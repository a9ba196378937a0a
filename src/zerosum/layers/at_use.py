"""Convolutions of models that are used and no longer trained: the order of their weights, and their kernels."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from zerosum.layers.conv import Conv2d, ConvTranspose2d, UpsampleConv


def order_weights(model: nn.Module) -> None:
    """Store the weights of a model's convolutions channels-last, which each call would otherwise do anew.

    The values and what is computed with them stay the same, bit for bit. For models that are used and no longer
    trained: sums over a weight may add in another order.
    """
    for layer in model.modules():
        if isinstance(layer, Conv2d | ConvTranspose2d | UpsampleConv) and layer._parameters.get("weight") is not None:
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)


def narrow_weights(model: nn.Module) -> None:
    """Store the weights of a model's convolutions and dense layers in bfloat16, in which autocast would cast each call.

    For models that are used under autocast and no longer trained. Layers that compute their weights keep float32.
    """
    for layer in model.modules():
        plain = type(layer) in (Conv2d, ConvTranspose2d, nn.Linear) and "weight" in layer._parameters
        for value in (layer.weight, layer.bias) if plain else ():
            if isinstance(value, torch.Tensor):
                value.data = value.data.bfloat16()


def drop_weights(layers: Iterable[nn.Module]) -> None:
    """Free the weights of layers that are not used, such as those of a discriminator."""
    for parameter in (one for layer in layers for one in layer.parameters()):
        parameter.data = parameter.data.new_empty(0)


def allow_kernels_of_use(model: nn.Module) -> None:
    """Let convolutions of a trained model take kernels whose last bits are not those of training."""
    for layer in model.modules():
        if isinstance(layer, ConvTranspose2d):
            layer.at_use = True
