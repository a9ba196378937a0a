"""Self-attention over the places of a map.

Source: Zhang et al. 2019, section 3 (https://arxiv.org/abs/1805.08318), as in Brock et al. 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import Conv2d


class SelfAttention(nn.Module):
    """Add to each place what it attends to, weighed by a gain that starts at 0.

    Queries and keys have C / 8 channels and values C / 2; keys and values are pooled over 2x2 places (authors' code of
    Brock et al. 2019), which quarters the cost.

    Args:
        channels: C, of the maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.query = Conv2d(channels, few, 1, bias=False)
        self.key = Conv2d(channels, few, 1, bias=False)
        self.value = Conv2d(channels, half, 1, bias=False)
        self.out = Conv2d(half, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H, W)."""
        N, _, H, W = maps.shape
        query = self.query(maps).flatten(2)
        key = functional.max_pool2d(self.key(maps), 2).flatten(2)
        value = functional.max_pool2d(self.value(maps), 2).flatten(2)
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # (N, HW, HW / 4)
        attended = (value @ weights.to(value.dtype).transpose(1, 2)).view(N, -1, H, W)
        return maps + self.gain * self.out(attended)
