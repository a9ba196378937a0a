"""Pixelwise feature normalisation: every pixel's features brought to mean square one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pixel_norm(features: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Divide each pixel's features, or each latent, by the root of their mean square, taken in float32 at least.

    Args:
        features: (N, C, *any).
        epsilon: added to the mean square.

    Returns:
        The shape and type of `features`.

    Source: Karras et al. 2018, section 4.2 (https://arxiv.org/abs/1710.10196).

    >>> pixel_norm(torch.tensor([[3.0, 4.0]])).square().mean().item()
    1.0
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    # `vector_norm` widens while it sums, which spares a float32 copy of the features.
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True, dtype=wide)
    scale = (length.square() / features.shape[1] + epsilon).rsqrt()
    return features * scale.to(features.dtype)


class PixelNorm(nn.Module):
    """`pixel_norm` as a layer."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, *any) to the same shape."""
        return pixel_norm(features)
