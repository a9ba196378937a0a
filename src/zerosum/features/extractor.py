"""The interface of feature extractors, their identity, and the RGB input they share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from zerosum.errors import InputError

SENTENCE = "gray is repeated to RGB, transparency laid on white"


def as_rgb(images: Tensor) -> Tensor:
    """Bring images to three channels.

    Args:
        images: (N, C, H, W) uint8: C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA).

    Returns:
        (N, 3, H, W) uint8.

    Raises:
        InputError: C is none of these.

    >>> import torch
    >>> as_rgb(torch.tensor([100, 51], dtype=torch.uint8).view(1, 2, 1, 1)).flatten().tolist()
    [224, 224, 224]
    """
    C = images.shape[1]
    if C not in (1, 2, 3, 4):
        raise InputError(f"Images of {C} channels were given; features are of images of 1, 2, 3 or 4 channels.")
    if C in (2, 4):
        colour, alpha = images[:, :-1].int(), images[:, -1:].int()
        images = (colour * alpha + 255 * (255 - alpha)).add(127).div(255, rounding_mode="floor").to(images.dtype)
    return images.expand(-1, 3, -1, -1)


def rgb_levels(images: Tensor) -> Tensor:
    """Bring (N, C, H, W) images in [-1, 1] to three channels in [0, 255], as `as_rgb` does, but with a gradient."""
    C = images.shape[1]
    if C not in (1, 2, 3, 4):
        raise InputError(f"Images of {C} channels were given; features are of images of 1, 2, 3 or 4 channels.")
    levels = (images + 1) / 2 * 255
    if C in (2, 4):
        levels = 255 + (levels[:, :-1] - 255) * (levels[:, -1:] / 255)
    return levels.expand(-1, 3, -1, -1)


@dataclass(frozen=True, kw_only=True)
class Features:
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

    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images, C being 1 or 3 or whatever the extractor was made for."""
        ...


class DifferentiableExtractor(Extractor, Protocol):
    """An extractor whose features have a gradient."""

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        ...


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
