"""Encoding of labels for networks that take classes beside samples or latents."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot


def encode(labels: Tensor, classes: int) -> Tensor:
    """Encode labels as (N, K) floats.

    Args:
        labels: (N,) int64 in [0, K), of which each becomes one of K; or (N, K) shares of the classes, which stay as
            they are.
        classes: K.

    >>> encode(torch.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    return (labels if labels.ndim == 2 else one_hot(labels, classes)).float()


def append_labels(x: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Append encoded labels to the channels of images, as constant planes, or to the values of vectors.

    Args:
        x: (N, C, ...).
        labels: as for `encode`.
        classes: K.

    Returns:
        (N, C + K, ...).
    """
    code = encode(labels, classes).to(x)
    return torch.cat([x, code.view(*code.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])], dim=1)
