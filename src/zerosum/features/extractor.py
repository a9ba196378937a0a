"""What sees images for the metrics: a fixed network, or the pixels themselves, by a name that every number carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an extractor sees in N images."""

    features: Tensor
    """(N, F) float32 on the CPU."""

    logits: Tensor | None = None
    """(N, K) float32 on the CPU, of extractors that classify."""


class Extractor(Protocol):
    """Maps images to features, each image by itself, the same at every call."""

    name: str
    """With what a person asks for it and what stands beside each number: "inception", "inception-768", "pixels" ..."""

    identity: str
    """Digest of all that its features depend on, weights included: what caches and comparisons go by."""

    protocol: str
    """One sentence: which network, which layer, which resizer, which range."""

    width: int
    """F."""

    def __call__(self, images: Tensor) -> Seen:
        """See (N, C, H, W) uint8 images, C being 1 or 3 or whatever the extractor was made for."""
        ...
