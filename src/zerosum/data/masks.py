"""Which part of an image is missing: masks of 1 where there is a hole and 0 where pixels are known.

A mask is a function of a few numbers from U(0, 1), so that whoever draws them decides what is repeated and shared.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["mixed", "block", "center", "free"]

AREA = 1 / 4
"""Largest share of the image that blocks cover together, and the share that the centre has."""
BLOCKS, STROKES, BENDS = 4, 3, 4
"""Blocks and strokes at most, and segments of a stroke."""
NUMBERS = 2 + STROKES * (4 + 2 * BENDS)
"""Numbers that a mask is made of: one for its kind, one for how many parts it has, the others for their form."""


def masks(kind: Kind, numbers: Tensor, size: tuple[int, int]) -> Tensor:
    """Make masks of one kind, or each of a random one: "mixed" takes blocks, the centre and strokes alike often.

    Args:
        kind: block, up to four rectangles that may overlap and cover at most a quarter; center, the middle half of
            both sides, a quarter exactly; free, up to three strokes of a brush; mixed.
        numbers: (N, NUMBERS) in [0, 1).
        size: height and width in pixels, 8 or more.

    Returns:
        (N, 1, H, W) of zeros and ones, with at least one of each.

    Source: Pathak et al. 2016, section 3.3, for blocks and centre; strokes after Yu et al. 2019, algorithm 1.

    >>> masks("center", torch.zeros(1, NUMBERS), (8, 8)).sum().item()
    16.0
    """
    if kind == "mixed":
        choice = (3 * numbers[:, 0]).long().view(-1, 1, 1, 1)
        block, center, free = (masks(each, numbers, size) for each in ("block", "center", "free"))
        return torch.where(choice == 0, block, torch.where(choice == 1, center, free))
    make = {"block": _block, "center": _center, "free": _free}[kind]
    return make(numbers, size).float()[:, None]


def _center(numbers: Tensor, size: tuple[int, int]) -> Tensor:
    rows, columns = _grid(numbers, size)
    (height, width), (top, left) = size, (size[0] // 4, size[1] // 4)
    inside = (rows > top) & (rows < top + height // 2) & (columns > left) & (columns < left + width // 2)
    return inside.expand(len(numbers), -1, -1)


def _block(numbers: Tensor, size: tuple[int, int]) -> Tensor:
    """Each of k blocks has from half to all of an equal share of the area, and sides of up to 1 : 2."""
    rows, columns = _grid(numbers, size)
    height, width = size
    count = 1 + (BLOCKS * numbers[:, 1]).floor().view(-1, 1, 1)
    hole = torch.zeros(len(numbers), height, width, dtype=torch.bool, device=numbers.device)
    for index, draws in enumerate(numbers[:, 2 : 2 + 4 * BLOCKS].split(4, dim=1)):
        share, stretch, down, across = draws.view(len(numbers), 4, 1, 1).unbind(1)
        area = (1 + share) / 2 * AREA / count
        slope = 2 ** (stretch - 0.5)
        tall, wide = (height * area.sqrt() * slope).floor(), (width * area.sqrt() / slope).floor()
        tall, wide = tall.clamp(min=1), wide.clamp(min=1)
        top, left = (down * (height - tall + 1)).floor(), (across * (width - wide + 1)).floor()
        inside = (rows > top) & (rows < top + tall) & (columns > left) & (columns < left + wide)
        hole |= inside & (index < count)
    return hole


def _free(numbers: Tensor, size: tuple[int, int]) -> Tensor:
    """A stroke starts anywhere, and bends by up to 72 degrees; lengths are shares of the shorter side."""
    rows, columns = _grid(numbers, size)
    height, width = size
    shorter = min(size)
    count = 1 + (STROKES * numbers[:, 1]).floor().view(-1, 1, 1)
    hole = torch.zeros(len(numbers), height, width, dtype=torch.bool, device=numbers.device)
    for index, draws in enumerate(numbers[:, 2:].split(4 + 2 * BENDS, dim=1)):
        y, x, angle, radius, *bends = draws.view(len(numbers), -1, 1, 1).unbind(1)
        y, x, angle = y * height, x * width, angle * 2 * math.pi
        radius = (shorter * (0.03 + 0.04 * radius)).clamp(min=1.0, max=shorter / 5)
        for turn, length in zip(bends[::2], bends[1::2], strict=True):
            angle = angle + (2 * turn - 1) * 0.4 * math.pi
            step = shorter * (0.1 + 0.2 * length)
            end = (y + step * angle.sin()).clamp(0, height), (x + step * angle.cos()).clamp(0, width)
            hole |= (_squared_distance(rows, columns, (y, x), end) <= radius**2) & (index < count)
            y, x = end
    return hole


def _squared_distance(
    rows: Tensor, columns: Tensor, start: tuple[Tensor, Tensor], end: tuple[Tensor, Tensor]
) -> Tensor:
    """How far every pixel is from segments, squared: (H, 1), (1, W) and ends of (N, 1, 1) -> (N, H, W)."""
    (y, x), down, across = start, end[0] - start[0], end[1] - start[1]
    squared = (down**2 + across**2).clamp(min=1e-12)
    along = ((rows - y) * (down / squared) + (columns - x) * (across / squared)).clamp_(0, 1)
    return (rows - y - along * down).square_() + (columns - x - along * across).square_()


def _grid(like: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the middles of the pixels, in pixels from the upper left corner: (H, 1) and (1, W)."""
    rows, columns = (torch.arange(side, device=like.device) + 0.5 for side in size)
    return rows[:, None], columns[None]
