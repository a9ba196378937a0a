"""Mixtures of Gaussians in the plane, on which mode collapse can be counted.

The protocol is that of PacGAN's published code (Lin et al. 2018, "PacGAN: The power of two samples in generative
adversarial networks", section 4.1, https://arxiv.org/abs/1712.04086): 100,000 training points, sigma 0.01 on the
ring and 0.05 on the grid. Points keep their own units.
"""

from __future__ import annotations

import numpy as np

from zerosum.errors import InputError, NoSuchSplit

NAMES = ("ring8", "grid25")
POINTS = 100_000


def modes(name: str) -> tuple[np.ndarray, float]:
    """Centres of a mixture's modes, (K, 2) float64, and the standard deviation of each.

    Raises:
        InputError: There is no such mixture.

    >>> centres, sigma = modes("grid25")
    >>> centres.shape, sigma
    ((25, 2), 0.05)
    """
    if name == "ring8":
        # An end point must not repeat the first (linspace(0, 2 pi, 8) would leave 7 distinct modes).
        angle = 2 * np.pi * np.arange(8) / 8
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.01
    if name == "grid25":
        side = np.arange(-4.0, 5.0, 2.0)
        return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2), 0.05
    raise InputError(f"There is no toy data set called {name}: choose one of {', '.join(NAMES)}.")


def points(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw the 100,000 points of a split; the same ones every time.

    Args:
        name: "ring8" or "grid25".
        split: "train" or "test"; the two are drawn independently.

    Returns:
        Points, (M, 2) float32, and the mode each was drawn from, (M,) int64 in [0, K).

    Raises:
        InputError: There is no such mixture or split.
    """
    centres, sigma = modes(name)
    if split not in ("train", "test"):
        raise NoSuchSplit(f"{name} has no split {split}: choose train or test.")
    seeds = [NAMES.index(name), ("train", "test").index(split)]
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seeds)))
    labels = generator.integers(len(centres), size=POINTS)
    drawn = centres[labels] + sigma * generator.standard_normal((POINTS, 2))
    return drawn.astype(np.float32), labels
