"""Digits drawn with strokes of six thicknesses: data with a true identity and an ordered attribute, made by rule.

The thickness stands for age, in the six groups of Antipov et al. 2017 (https://arxiv.org/abs/1702.01983); the digit is
the identity. Slant, size, place and the bend of every stroke are random, and independent of both.
"""

from __future__ import annotations

import numpy as np

from zerosum.data.sources.image_array import ImageArray, table_of, with_labels

NAME = "aged-digits"
GROUPS = ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")
DIGITS = tuple(str(digit) for digit in range(10))
COUNTS = {"train": 3_000, "test": 1_000}
SIDE = 32
HALF_WIDTHS = (0.55, 0.95, 1.35, 1.8, 2.35, 3.0)
"""Half the thickness of a group's strokes, in pixels."""

STROKES: dict[str, str] = {
    "0": "5,1 2.5,2.5 2,5 2.5,7.5 5,9 7.5,7.5 8,5 7.5,2.5 5,1",
    "1": "3,3 5.5,1 5.5,9",
    "2": "2.2,3 3.5,1.2 6.5,1.2 7.8,3.2 6,5.6 2.2,9 8,9",
    "3": "2.4,1.8 5,1 7.6,2.6 5,4.7 7.9,6.8 5.2,9 2.2,8",
    "4": "6.5,9 6.5,1 2,6.4 8.4,6.4",
    "5": "7.6,1 2.8,1 2.6,4.8 5.6,4.2 7.9,6.4 5.6,9 2.2,8.2",
    "6": "7,1.2 4,2.8 2.3,6 3.4,8.6 6.2,9 7.9,7 6.2,5 2.6,6.2",
    "7": "2,1 8,1 5.6,4.6 4.2,9",
    "8": "5,4.7 2.6,3 5,1 7.4,3 5,4.7 2.2,7 5,9 7.8,7 5,4.7",
    "9": "7.4,3.8 4,5 2.3,3 4.4,1 7.4,2.4 7.2,6 5,9",
}
"""Corners of each digit's stroke, x,y in a box of 10 by 10."""

CORNERS = 9
"""Corners of the longest stroke; shorter ones repeat their last."""


def read(split: str) -> ImageArray:
    """Draw the images of a split, train or test: 32x32, ink as 255, labelled by the group of their thickness."""
    digits, groups, generator = _plan(split)
    images = _drawn(digits, np.asarray(HALF_WIDTHS)[groups], generator)
    return with_labels(table_of(images, NAME), groups, GROUPS, "the ages of aged-digits")


def identities(split: str) -> np.ndarray:
    """Return which digit each image of a split shows: (M,) int64."""
    return _plan(split)[0]


def _plan(split: str) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Draw the digit and the group of every image."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1702, *split.encode()])))
    count = COUNTS[split]
    return generator.integers(10, size=count), generator.integers(len(GROUPS), size=count), generator


def _drawn(digits: np.ndarray, half_widths: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw digits: (M,), (M,) pixels -> (M, 32, 32) uint8."""
    count = len(digits)
    corners = np.stack([_corners(STROKES[digit]) for digit in DIGITS])[digits] + generator.normal(
        0, 0.28, (count, CORNERS, 2)
    )
    shorter = np.asarray([len(STROKES[digit].split()) for digit in DIGITS])[digits]
    for corner in range(1, CORNERS):  # repeated corners stay where the last one is
        late = corner >= shorter
        corners[late, corner] = corners[late, corner - 1]
    middle = corners - 5
    slant, scale = generator.uniform(-0.3, 0.3, (count, 1)), generator.uniform(2.0, 2.5, (count, 1, 1))
    middle[..., 0] -= slant * middle[..., 1]
    points = (middle * scale + SIDE / 2 + generator.uniform(-1.5, 1.5, (count, 1, 2))).astype(np.float32)
    widths = (half_widths * generator.uniform(0.95, 1.05, count)).astype(np.float32)
    ink = widths[:, None, None] + 0.5 - np.concatenate([_distances(part) for part in np.array_split(points, 16)])
    return np.rint(255 * ink.clip(0, 1)).astype(np.uint8)


def _corners(stroke: str) -> np.ndarray:
    """Read the corners of a stroke: (CORNERS, 2)."""
    found = [[float(value) for value in corner.split(",")] for corner in stroke.split()]
    return np.asarray(found + found[-1:] * (CORNERS - len(found)))


def _distances(points: np.ndarray) -> np.ndarray:
    """Compute how far each pixel's centre lies from a stroke: (N, CORNERS, 2) -> (N, 32, 32) float32, pixels."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) + np.float32(0.5)
    nearest = np.full((len(points), SIDE, SIDE), np.inf, np.float32)
    for at in range(CORNERS - 1):
        start, way = points[:, at, :, None, None], (points[:, at + 1] - points[:, at])[..., None, None]
        dx, dy = x - start[:, 0], y - start[:, 1]
        length = (way[:, 0] ** 2 + way[:, 1] ** 2).clip(1e-9)
        share = ((dx * way[:, 0] + dy * way[:, 1]) / length).clip(0, 1)
        np.minimum(nearest, (dx - share * way[:, 0]) ** 2 + (dy - share * way[:, 1]) ** 2, out=nearest)
    return np.sqrt(nearest)
