"""Normalisation whose gain and bias depend on a class or on a vector.

Source: Dumoulin et al. 2017, section 3; de Vries et al. 2017, section 3 (https://arxiv.org/abs/1707.00683); for GANs
Miyato & Koyama 2018 (https://arxiv.org/abs/1802.05637) and Brock et al. 2019 (https://arxiv.org/abs/1809.11096).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from zerosum.layers.norms import Norm, norm_layers


class _Conditional(nn.Module):
    """The gain 1 + W v and the bias V v of each channel, where v is a vector, or the one-hot of a class."""

    gain: nn.Module
    shift: nn.Module

    def add_tables(self, channels: int, classes: int, vector: int) -> None:
        """Make W and V, of K classes or of a vector (N, F)."""
        if (classes > 0) == (vector > 0):
            raise ValueError(f"a conditional norm got {classes} classes and a vector of {vector}: give one of them")
        if classes:
            self.gain, self.shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
            nn.init.zeros_(self.gain.weight)
            nn.init.zeros_(self.shift.weight)
        else:
            self.gain, self.shift = (nn.Linear(vector, channels, bias=False) for _ in range(2))

    def modulate(self, normed: Tensor, condition: Tensor) -> Tensor:
        """Apply gain and bias to maps (N, C, H, W) of mean 0 and variance 1."""
        gain, shift = (layer(condition)[:, :, None, None] for layer in (self.gain, self.shift))
        return torch.addcmul(shift.to(normed.dtype), normed, (1 + gain).to(normed.dtype))


class ConditionalBatchNorm2d(_Conditional, nn.BatchNorm2d):
    """Batch norm with the gain 1 + W v and the bias V v, where v is a vector, or the one-hot of a class.

    Args:
        channels: of the maps.
        classes: K; the condition is a class (N,) int64 in [0, K), and W and V are tables that start at 0.
        vector: F; the condition is (N, F), and W and V are dense layers without bias. Exactly one of the two is given.
    """

    def __init__(self, channels: int, *, classes: int = 0, vector: int = 0) -> None:
        super().__init__(channels, affine=False)
        self.add_tables(channels, classes, vector)

    def forward(self, input: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]  # noqa: A002
        """Map (N, C, H, W), and a class (N,) or a vector (N, F) a sample, to (N, C, H, W)."""
        return self.modulate(super().forward(input), condition)


class ConditionalNorm2d(_Conditional):
    """Another norm, or none, with the gain and the bias of `ConditionalBatchNorm2d`.

    Args:
        norm: of the maps, without a gain and a bias of its own.
        channels: of the maps.
        classes: K, as there.
        vector: F, as there.
    """

    def __init__(self, norm: nn.Module, channels: int, *, classes: int = 0, vector: int = 0) -> None:
        super().__init__()
        self.norm = norm
        self.add_tables(channels, classes, vector)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Map (N, C, H, W), and a class (N,) or a vector (N, F) a sample, to (N, C, H, W)."""
        return self.modulate(self.norm(maps), condition)


def norm_of(classes: int, vector: int, kind: Norm = "batch") -> Callable[[int], nn.Module]:
    """Return what makes a norm of a number of channels: of a vector, of classes, or of neither where both are 0."""

    def plain(channels: int, *, affine: bool = True) -> nn.Module:
        return next(iter(norm_layers(kind, channels, affine=affine)), nn.Identity())

    if not classes and not vector:
        return plain
    given = {"vector": vector} if vector else {"classes": classes}
    if kind == "batch":
        return partial(ConditionalBatchNorm2d, **given)
    return lambda channels: ConditionalNorm2d(plain(channels, affine=False), channels, **given)
