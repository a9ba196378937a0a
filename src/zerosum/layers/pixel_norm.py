"""Pixelwise feature normalisation: every pixel's features brought to mean square one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function


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
    trained = features.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling()
    if trained and features.dtype != torch.float16:  # whose products may be infinite
        return _PixelNorm.apply(features, epsilon)  # type: ignore[return-value]
    return features * _scale(features, epsilon).to(features.dtype)


class PixelNorm(nn.Module):
    """`pixel_norm` as a layer."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, *any) to the same shape."""
        return pixel_norm(features)


class _PixelNorm(Function):
    """The same with its gradient in closed form, in under half of autograd's time; it can be differentiated again."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, epsilon: float) -> Tensor:
        scale = _scale(features, epsilon)
        ctx.save_for_backward(features, scale)
        ctx.epsilon = epsilon
        return features * scale.to(features.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        features, scale = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient is to be differentiated too, and the scale is of the features
            scale = _scale(features, ctx.epsilon)
        along = (gradients[0] * features).sum(1, keepdim=True, dtype=scale.dtype) * scale**3 / -features.shape[1]
        return torch.addcmul(gradients[0] * scale.to(features.dtype), features, along.to(features.dtype)), None


def _scale(features: Tensor, epsilon: float) -> Tensor:
    """(N, C, *any) -> (N, 1, *any): 1 / root mean square."""
    wide = torch.promote_types(features.dtype, torch.float32)
    # `vector_norm` widens while it sums, which spares a float32 copy of the features.
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True, dtype=wide)
    return (length.square() / features.shape[1] + epsilon).rsqrt()
