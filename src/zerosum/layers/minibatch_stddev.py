"""Minibatch standard deviation: a feature of a batch's variation, which is low when the generator collapses."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.errors import InputError


def append_deviation(features: Tensor, group: int, epsilon: float = 1e-8) -> Tensor:
    """Append a constant channel: how much features differ within groups of consecutive samples, on average.

    Groups are of neighbours, so that pieces of a batch that hold whole groups are what the batch is.

    Args:
        features: (N, C, H, W).
        group: samples that are looked at together; N must be a multiple.
        epsilon: added to the variance, so that equal samples get sqrt(epsilon) and a finite gradient.

    Returns:
        (N, C + 1, H, W), of the type of `features`.

    Raises:
        InputError: N is not a multiple of `group`.

    Source: Karras et al. 2018, section 3 (https://arxiv.org/abs/1710.10196).
    """
    N, _, H, W = features.shape
    if N % group:
        raise InputError(
            f"A batch came in pieces of {N} samples, which cannot be looked at in groups of {group}: make --batch a "
            f"multiple of {group} times the processes and --micro-batches, or set a smaller --minibatch-group."
        )
    wide = features.to(torch.promote_types(features.dtype, torch.float32))
    groups = wide.unflatten(0, (-1, group))
    # In two passes: torch's `var` along strided samples takes ten times as long on a CPU.
    variance = (groups - groups.mean(1, keepdim=True)).square().mean(1)
    deviation = (variance + epsilon).sqrt().mean((1, 2, 3))
    channel = deviation.to(features.dtype).repeat_interleave(group).view(N, 1, 1, 1).expand(N, 1, H, W)
    return torch.cat([features, channel], dim=1)
