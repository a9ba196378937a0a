"""Minibatch discrimination: how close each sample's features are to those of the others in its batch.

Source: Salimans et al. 2016, section 3.2 (https://arxiv.org/abs/1606.03498).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """Features to one closeness for each of B learned kernels: o_b(i) = sum_j exp(-|M_b(i) - M_b(j)|_1), j != i.

    M(i) = f(i) T of (B, C), with T from N(0, 0.05^2) at first (authors' code, which leaves out j = i too).

    Args:
        features: values F per sample going in.
        kernels: B.
        dimensions: C, of the space in which a kernel measures distances.
    """

    def __init__(self, features: int, kernels: int = 100, dimensions: int = 5) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(features, kernels, dimensions))

    def forward(self, features: Tensor, group: int) -> Tensor:
        """Map (N, F) to (N, B), in float32; samples are compared within runs of `group`, or all where N is no multiple.

        Args:
            features: (N, F).
            group: samples of a batch that lie together: real and generated ones are compared apart.
        """
        group = group if group and len(features) % group == 0 else len(features)
        with torch.autocast(features.device.type, enabled=False):
            wide = features.to(torch.promote_types(features.dtype, torch.float32))
            places = torch.einsum("nf,fbc->nbc", wide, self.weight.to(wide)).unflatten(0, (-1, group))
            distances = (places[:, :, None] - places[:, None]).abs().sum(-1)
            return ((-distances).exp().sum(2) - 1).flatten(0, 1)


class WithCloseness(nn.Module):
    """A layer that takes minibatch discrimination's output beside its features.

    A linear layer on both joined is the sum of one on each. That on the closeness starts at 0, so that the network
    starts as it would without. Maps are averaged over their pixels before they are compared.

    Args:
        layer: dense or convolutional.
        kernels: B.
    """

    def __init__(self, layer: nn.Module, kernels: int) -> None:
        super().__init__()
        sizes: Any = layer
        dense = isinstance(layer, nn.Linear)
        self.closeness = MinibatchDiscrimination(sizes.in_features if dense else sizes.in_channels, kernels)
        self.head = nn.Linear(kernels, sizes.out_features if dense else sizes.out_channels, bias=False)
        nn.init.zeros_(self.head.weight)
        self.layer = layer
        self.group = 0

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, F) or (N, C, H, W) to what the layer maps it to."""
        features = x.flatten(2).mean(2) if x.ndim > 2 else x
        added = self.head(self.closeness(features, self.group))
        output = self.layer(x)  # after the closeness: what sees the network's last layer entered is to see this one
        added = added.to(output.dtype)
        return output + added.view(*added.shape, *[1] * (output.ndim - 2))
