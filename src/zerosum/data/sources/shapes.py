"""Coloured shapes with sentences about them, made by rule: `captioned-shapes`.

A shape has a size, a colour, a form and a place: 240 combinations, of which 40 are in no training image. The training
split has 12,000 images of the other 200; the test split has 2,000, every second of them of a combination that was
held out (zero-shot). Each image has five sentences, one a template.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from zerosum.data.sources.image_array import ImageArray, table_of
from zerosum.errors import NoSuchSplit

NAME = "captioned-shapes"
SIDE = 32
COUNTS = {"train": 12_000, "test": 2_000}
SIZES = ("small", "large")
COLOURS = {
    "red": (220, 40, 40),
    "green": (50, 180, 70),
    "blue": (50, 90, 230),
    "yellow": (245, 220, 60),
    "purple": (150, 60, 190),
    "white": (240, 240, 240),
}
SHAPES = ("circle", "square", "triangle", "cross")
PLACES = {
    "left": ("on the left", -7, 0),
    "right": ("on the right", 7, 0),
    "top": ("at the top", 0, -7),
    "bottom": ("at the bottom", 0, 7),
    "middle": ("in the middle", 0, 0),
}
"""Where a shape is, as sentences say it, and its centre from that of the image, to the right and down, in pixels."""

RADII = (4.0, 7.0)
BACKGROUND = 40
TEMPLATES = (
    "a {size} {colour} {shape} {where}",
    "there is a {size} {colour} {shape} {where}",
    "{where}, a {size} {colour} {shape}",
    "the {shape} {where} is {size} and {colour}",
    "{size} {colour} {shape}, {place}",
)
ATTRIBUTES = ("size", "colour", "shape", "place")
ALL = np.array(list(product(*(range(len(a)) for a in (SIZES, COLOURS, SHAPES, PLACES)))))
"""(240, 4), int64: every combination, as numbers in the lists above."""


def is_held_out(combinations: np.ndarray) -> np.ndarray:
    """Return which combinations (M, 4) are in no training image: (M,) bool.

    Every size, colour, shape and place is in training images, and so is every pair of them.

    >>> int(is_held_out(ALL).sum())
    40
    """
    size, colour, shape, place = combinations.T
    return (colour + shape + place + 3 * size) % 6 == 0


def sentences(combination: np.ndarray) -> tuple[str, ...]:
    """Return what can be said of a combination (4,), a sentence a template.

    >>> sentences(np.array([0, 0, 0, 0]))[:2]
    ('a small red circle on the left', 'there is a small red circle on the left')
    """
    size, colour, shape, place = (int(value) for value in combination)
    names = {"size": SIZES[size], "colour": list(COLOURS)[colour], "shape": SHAPES[shape], "place": list(PLACES)[place]}
    where = PLACES[names["place"]][0]
    return tuple(template.format(**names, where=where) for template in TEMPLATES)


def combinations_of(split: str) -> np.ndarray:
    """Return what the images of a split show: (M, 4), int64.

    Raises:
        NoSuchSplit: it is neither train nor test.
    """
    if split not in COUNTS:
        raise NoSuchSplit(f"{NAME} has no split {split}: choose --split train or test.")
    known, held_out = ALL[~is_held_out(ALL)], ALL[is_held_out(ALL)]
    random = _random(split, 0)
    found = known[random.integers(len(known), size=COUNTS[split])]
    if split == "test":
        found[1::2] = held_out[random.integers(len(held_out), size=len(found[1::2]))]
    return found


def images(split: str) -> ImageArray:
    """Draw the images of a split, the same ones every time: (M, 32, 32, 3) uint8.

    Raises:
        NoSuchSplit: it is neither train nor test.
    """
    shown, random = combinations_of(split), _random(split, 1)
    drawn = np.concatenate([render(part, random) for part in np.array_split(shown, max(1, len(shown) // 500))])
    note = (
        f"{len(shown):,} images of coloured shapes, made by rule; {int(is_held_out(ALL).sum())} of {len(ALL)} "
        f"combinations of size, colour, shape and place are in no training image."
    )
    table = table_of(drawn, NAME)
    return ImageArray(samples=table.samples, notes=(note,))


def captions(split: str) -> tuple[tuple[str, ...], ...]:
    """Return the five sentences of each image of a split; the first is of another template from image to image.

    Raises:
        NoSuchSplit: it is neither train nor test.
    """
    said = {tuple(one): sentences(one) for one in ALL.tolist()}
    turned = (said[tuple(one)] for one in combinations_of(split).tolist())
    return tuple((*five[row % 5 :], *five[: row % 5]) for row, five in enumerate(turned))


def render(shown: np.ndarray, random: np.random.Generator | None, *, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Draw combinations (M, 4): (M, 32, 32, 3) uint8.

    Args:
        shown: what.
        random: varies centres, radii and colours a little; None draws them exactly, moved by `shift` (right, down).
        shift: in pixels.
    """
    size, colour, shape, place = shown.T
    count = len(shown)
    centre = np.array([spot[1:] for spot in PLACES.values()], dtype=np.float32)[place] + np.array(
        shift, dtype=np.float32
    )
    radius = np.array(RADII, dtype=np.float32)[size]
    ink = np.array(list(COLOURS.values()), dtype=np.float32)[colour]
    ground = np.full((count, 1), BACKGROUND, dtype=np.float32)
    if random is not None:
        centre = centre + random.uniform(-1.5, 1.5, (count, 2)).astype(np.float32)
        radius = radius + random.uniform(-0.5, 0.5, count).astype(np.float32)
        ink = ink + random.uniform(-12, 12, (count, 3)).astype(np.float32)
        ground = ground + random.uniform(-8, 8, (count, 1)).astype(np.float32)
    grid = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    x, y = grid[None, None, :] - centre[:, 0, None, None], grid[None, :, None] - centre[:, 1, None, None]
    cover = np.clip(0.5 - _distance(x, y, radius[:, None, None], shape), 0, 1)[..., None]
    picture = ground[:, None, None] * (1 - cover) + ink[:, None, None] * cover
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def recognise(samples: np.ndarray) -> np.ndarray:
    """Return the combination whose drawing is nearest to each image, moved by a pixel or not: (M, 4), int64.

    Args:
        samples: (M, 32, 32, 3) uint8.

    >>> bool((recognise(render(ALL, None)) == ALL).all())
    True
    """
    moves = [(right, down) for right in (-1, 0, 1) for down in (-1, 0, 1)]
    drawn = np.concatenate([render(ALL, None, shift=move) for move in moves]).reshape(len(moves) * len(ALL), -1)
    known = drawn.astype(np.float32)
    found = []
    for part in np.array_split(samples.reshape(len(samples), -1), max(1, len(samples) // 500)):
        distance = (known**2).sum(1) - 2 * part.astype(np.float32) @ known.T
        found.append(ALL[distance.argmin(1) % len(ALL)])
    return np.concatenate(found)


def _distance(x: np.ndarray, y: np.ndarray, radius: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Return how far each pixel (M, 32, 32) is outside the shape, in pixels; negative inside."""
    x, y = np.broadcast_arrays(x, y)
    ax, ay = np.abs(x), np.abs(y)
    forms = (
        lambda at: np.hypot(x[at], y[at]) - radius[at],
        lambda at: np.maximum(ax[at], ay[at]) - 0.88 * radius[at],
        lambda at: np.maximum(y[at], 0.866 * ax[at] - 0.5 * y[at]) - 0.65 * radius[at],
        lambda at: np.minimum(
            np.maximum(ax[at] - radius[at], ay[at] - radius[at] / 3),
            np.maximum(ay[at] - radius[at], ax[at] - radius[at] / 3),
        ),
    )
    found = np.empty(x.shape, dtype=np.float32)
    for number, form in enumerate(forms):
        at = np.flatnonzero(shape == number)
        found[at] = form(at)
    return found


def _random(split: str, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([240, purpose, *split.encode()])))
