"""Procedural shapes: spheres, boxes, tables and chairs of random proportions, on which volumes are tried out.

A table is a slab on four legs, a chair a seat on four legs with a back; z points upwards, and a chair's back stands at
its far end of y. All are solid and connected, and no two need be alike.
"""

from __future__ import annotations

import numpy as np

from zerosum.errors import NoSuchSplit

NAME = "shapes3d"
CLASSES = ("sphere", "box", "table", "chair")
COUNTS = {"train": 2_000, "test": 500}


def shapes(split: str, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Build the shapes of a split; the same ones every time, whatever the side.

    Args:
        split: "train" (2,000) or "test" (500); the two are drawn independently.
        side: cells a side.

    Returns:
        (M, side, side, side) bool, and the class of each, (M,) int64 in the order of `CLASSES`.

    Raises:
        NoSuchSplit: There is no such split.

    >>> grids, labels = shapes("test", 16)
    >>> grids.shape, labels[:4].tolist()
    ((500, 16, 16, 16), [0, 1, 2, 3])
    """
    if split not in COUNTS:
        raise NoSuchSplit(f"{NAME} has no split {split}: choose train or test.")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([3, list(COUNTS).index(split)])))
    labels = np.arange(COUNTS[split]) % len(CLASSES)
    grids = np.zeros((len(labels), side, side, side), bool)
    build = (_sphere, _box, _table, _chair)
    for grid, label in zip(grids, labels, strict=True):
        build[label](grid, generator.uniform(size=6))
    return grids, labels


def _sphere(grid: np.ndarray, draws: np.ndarray) -> None:
    """Fill a ball of radius 0.2 to 0.4, as a share of the side, off the centre by up to what is left."""
    side = len(grid)
    radius = 0.2 + 0.2 * draws[0]
    centre = 0.5 + (2 * draws[1:4] - 1) * (0.45 - radius)
    x, y, z = (((np.arange(side) + 0.5) / side - c) ** 2 for c in centre)
    grid[x[:, None, None] + y[None, :, None] + z[None, None, :] <= radius**2] = True


def _box(grid: np.ndarray, draws: np.ndarray) -> None:
    """Fill a box of 0.25 to 0.8 a side about the centre."""
    half = (0.25 + 0.55 * draws[:3]) / 2
    _fill(grid, *((0.5 - h, 0.5 + h) for h in half))


def _table(grid: np.ndarray, draws: np.ndarray) -> None:
    """Fill a slab of 0.5 to 0.9 by 0.4 to 0.9 on four legs."""
    x, y = 0.25 + 0.2 * draws[0], 0.2 + 0.25 * draws[1]
    top, thick, leg = 0.5 + 0.3 * draws[2], 0.07 + 0.06 * draws[3], 0.07 + 0.07 * draws[4]
    _fill(grid, (0.5 - x, 0.5 + x), (0.5 - y, 0.5 + y), (top - thick, top))
    _legs(grid, x, y, top, leg)


def _chair(grid: np.ndarray, draws: np.ndarray) -> None:
    """Fill a seat of 0.4 to 0.7 a side on four legs, and a back on its far end."""
    x, y = 0.2 + 0.15 * draws[0], 0.2 + 0.15 * draws[1]
    seat, thick, leg = 0.4 + 0.12 * draws[2], 0.08 + 0.04 * draws[3], 0.07 + 0.06 * draws[4]
    _fill(grid, (0.5 - x, 0.5 + x), (0.5 - y, 0.5 + y), (seat - thick, seat))
    _fill(grid, (0.5 - x, 0.5 + x), (0.5 + y - thick, 0.5 + y), (seat - thick, 0.75 + 0.2 * draws[5]))
    _legs(grid, x, y, seat, leg)


def _legs(grid: np.ndarray, x: float, y: float, height: float, leg: float) -> None:
    for left in (0.5 - x, 0.5 + x - leg):
        for front in (0.5 - y, 0.5 + y - leg):
            _fill(grid, (left, left + leg), (front, front + leg), (0.05, height))


def _fill(grid: np.ndarray, *ranges: tuple[float, float]) -> None:
    """Fill a block whose ranges are shares of the side, at least one cell of each."""
    side = len(grid)
    starts = [min(round(low * side), side - 1) for low, _ in ranges]
    stops = [max(round(high * side), start + 1) for (_, high), start in zip(ranges, starts, strict=True)]
    grid[tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))] = True
