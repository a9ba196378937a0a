"""Clips that are made by rule: shapes that move in a direction, and digits that bounce off the edges.

Source of the digits' rule: Srivastava et al. 2015, section 4.1 (https://arxiv.org/abs/1502.04681).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from zerosum.data.options import DataConfig
from zerosum.data.sources import builtin
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.thread_pool import ProgressCallback

NAMES = ("moving-shapes", "moving-mnist", "moving-digits")
DIRECTIONS = ("right", "left", "up", "down")
COUNTS = {"train": 1000, "test": 250}
SIZES = {"moving-shapes": 16}
"""Pixels a side where no size is asked for, if not `SIZE`: shapes that a CPU learns in a quarter of an hour."""

SIZE = 32
"""Pixels a side of the others."""

SMALLEST, LARGEST = 16, 64
SOFT = 1.0
"""Pixels over which an edge fades."""


def clips(
    name: str, options: DataConfig, progress: ProgressCallback | None = None
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Make the clips of a split, the same ones every time: 1,000 to train on, 250 to test.

    Args:
        name: one of `NAMES`.
        options: their size, frames, channels, labels and split count.
        progress: told of bytes, where MNIST is downloaded.

    Returns:
        Clips (M, T, H, W, C) uint8, the class of each (M,) int64 or None, and the classes' names.

    Raises:
        InputError: no such split; or a size, channels or labels that these clips lack.
    """
    if options.split not in COUNTS:
        raise NoSuchSplit(f"{name} has no split {options.split}: choose --split train or test.")
    side = _side(name, options)
    colours = {"moving-shapes": 3}.get(name, 1) if options.channels is None else options.channels
    if colours not in (1, 3):
        raise InputError(f"{name} has 1 or 3 channels, and --channels is {colours}: give 1 or 3.")
    if options.labels not in (None, "none"):
        raise InputError(
            f"{name} brings its labels along, and --labels is {options.labels}: leave it out, or give none."
        )
    random = np.random.default_rng([NAMES.index(name), list(COUNTS).index(options.split)])
    count, frames = COUNTS[options.split], options.frames
    if name == "moving-shapes":
        moving, directions = shapes(random, count, frames, side)
        labelled = options.labels != "none"
        moving = moving if colours == 3 else moving.mean(-1, keepdims=True)
        return _bytes(moving), directions if labelled else None, DIRECTIONS if labelled else ()
    moving = digits(random, count, frames, side, sprites(name, options, side, progress))
    return np.repeat(_bytes(moving), colours, axis=-1), None, ()


def shapes(random: np.random.Generator, count: int, frames: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Move discs, squares and diamonds of any colour by half the side in one of four directions.

    Returns:
        (M, T, S, S, 3) float32 in [0, 1], and the direction of each, (M,) int64.
    """
    directions = random.permutation(np.arange(count) % len(DIRECTIONS))
    forms, colours = random.integers(0, 3, count), random.uniform(0.35, 1.0, (count, 3))
    colours /= colours.max(1, keepdims=True)
    radii = random.uniform(0.12, 0.18, count) * side
    way = np.array([(1, 0), (-1, 0), (0, -1), (0, 1)])[directions]  # (x, y), y counted from above
    margin, path = radii + 1, side / 2
    room = side - 2 * margin[:, None] - path * np.abs(way)
    start = margin[:, None] + random.uniform(0, 1, (count, 2)) * room + path * (way < 0)
    steps = np.linspace(0, 1, frames)
    centres = start[:, None] + path * steps[None, :, None] * way[:, None]
    pixels = np.arange(side) + 0.5
    away = np.abs(pixels[None, None, None] - centres[..., None])  # (M, T, 2, S)
    x, y = away[:, :, 0, None, :], away[:, :, 1, :, None]
    which = forms[:, None, None, None]
    far = np.where(which == 0, np.hypot(x, y), np.where(which == 1, np.maximum(x, y), 0.8 * (x + y)))
    cover = np.clip((radii[:, None, None, None] - far) / SOFT + 0.5, 0, 1).astype(np.float32)
    return cover[..., None] * colours[:, None, None, None].astype(np.float32), directions


def digits(random: np.random.Generator, count: int, frames: int, side: int, sprites: np.ndarray) -> np.ndarray:
    """Bounce two digits, of the sprites (K, s, s) in [0, 1], each off the edges: (M, T, S, S, 1) float32 in [0, 1]."""
    small = sprites.shape[1]
    room = side - small
    chosen = random.integers(0, len(sprites), (count, 2))
    start, angle = random.uniform(0, room, (count, 2, 2)), random.uniform(0, 2 * np.pi, (count, 2))
    speed = np.stack([np.cos(angle), np.sin(angle)], -1) * 3.6 * side / 64
    way = start[:, :, None] + speed[:, :, None] * np.arange(frames)[:, None]
    place = np.rint(np.abs((way + room) % (2 * room) - room)).astype(int)  # reflected at 0 and at the end of the room
    canvas = np.zeros((count, frames, side, side), np.float32)
    for clip in range(count):
        for digit in range(2):
            for frame, (left, top) in enumerate(place[clip, digit]):
                window = canvas[clip, frame, top : top + small, left : left + small]
                np.maximum(window, sprites[chosen[clip, digit]], out=window)
    return canvas[..., None]


def sprites(name: str, options: DataConfig, side: int, progress: ProgressCallback | None) -> np.ndarray:
    """Return the digits of a split at 28 of 64 pixels: (K, s, s) float32 in [0, 1].

    Raises:
        InputError: MNIST is found nowhere.
    """
    if name == "moving-digits":
        table = builtin.digits().samples
        table = table[:1500] if options.split == "train" else table[1500:]
    else:
        where = replace(options, size=None, labels=None, channels=None)
        try:
            table = builtin.read("mnist", builtin.locate("mnist", where, progress), where).samples[:10_000]
        except NoSuchSplit:
            raise
        except InputError as error:
            raise InputError(f"moving-mnist is made of MNIST; moving-digits needs no download. {error}") from error
    small = round(28 * side / 64)
    pictures = [Image.fromarray(digit).resize((small, small), Image.Resampling.LANCZOS) for digit in table[..., 0]]
    return np.stack([np.asarray(picture) for picture in pictures]).astype(np.float32) / 255


def _side(name: str, options: DataConfig) -> int:
    sides = options.sides() or (SIZES.get(name, SIZE),) * 2
    if sides[0] != sides[1] or not SMALLEST <= sides[0] <= LARGEST:
        raise InputError(f"--size is {options.size}, and {name} has one side of 16 to 64 pixels: give --size 32.")
    return sides[0]


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values * 255).astype(np.uint8)
