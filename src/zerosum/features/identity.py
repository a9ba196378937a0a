"""What tells one extractor from another: a digest of its weights and of the words that describe the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def identity_of(weights: Mapping[str, Tensor], *words: object) -> str:
    """Digest of named weights, and of whatever else features depend on.

    >>> a, b = {"w": torch.zeros(2)}, {"w": torch.ones(2)}
    >>> identity_of(a) == identity_of(a), identity_of(a) == identity_of(b), identity_of(a) == identity_of(a, 64)
    (True, False, False)
    """
    digest = hashlib.blake2b(repr(words).encode(), digest_size=16)
    for name, weight in sorted(weights.items()):
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
