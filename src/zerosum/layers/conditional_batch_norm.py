"""Batch normalisation whose gain and bias depend on a class or on a vector.

Source: Dumoulin et al. 2017, section 3; de Vries et al. 2017, section 3 (https://arxiv.org/abs/1707.00683); for GANs
Miyato & Koyama 2018 (https://arxiv.org/abs/1802.05637) and Brock et al. 2019 (https://arxiv.org/abs/1809.11096).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionalBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with the gain 1 + W v and the bias V v, where v is a vector, or the one-hot of a class.

    Args:
        channels: of the maps.
        classes: K; the condition is a class (N,) int64 in [0, K), and W and V are tables that start at 0.
        vector: F; the condition is (N, F), and W and V are dense layers without bias. Exactly one of the two is given.
    """

    def __init__(self, channels: int, *, classes: int = 0, vector: int = 0) -> None:
        super().__init__(channels, affine=False)
        if (classes > 0) == (vector > 0):
            raise ValueError(f"conditional batch norm got {classes} classes and a vector of {vector}: give one of them")
        if classes:
            self.gain: nn.Module = nn.Embedding(classes, channels)
            self.shift: nn.Module = nn.Embedding(classes, channels)
            nn.init.zeros_(self.gain.weight)  # type: ignore[arg-type]
            nn.init.zeros_(self.shift.weight)  # type: ignore[arg-type]
        else:
            self.gain = nn.Linear(vector, channels, bias=False)
            self.shift = nn.Linear(vector, channels, bias=False)

    def forward(self, input: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]  # noqa: A002
        """Map (N, C, H, W), and a class (N,) or a vector (N, F) a sample, to (N, C, H, W)."""
        normed = super().forward(input)
        gain, shift = (layer(condition)[:, :, None, None] for layer in (self.gain, self.shift))
        return torch.addcmul(shift.to(normed.dtype), normed, (1 + gain).to(normed.dtype))
