"""Bits at which the channels of a data set are kept: 16 where its numbers fill more than 256 levels, else 8."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from zerosum.data.packing.bit_depth import Depth, Scale
from zerosum.data.packing.cache import Packed, reopen

BYTE = 256
"""Levels that 8 bits hold."""


def bits_for(depth: Depth, scales: Iterable[Scale], pieces: Callable[[], Iterable[np.ndarray]]) -> Literal[8, 16]:
    """Choose 8 or 16 bits.

    Args:
        depth: What was asked for.
        scales: Of the wide numbers among the data; none where all are bytes or truth values.
        pieces: Goes through the distinct 16-bit levels of the wide numbers, piece by piece; read until 257 are found.
    """
    if depth != "auto":
        return depth
    if all(scale.holds_integers and scale.high - scale.low < BYTE for scale in scales):
        return 8
    found = np.zeros(2**16, np.bool_)
    for piece in pieces():
        found[piece] = True
        if np.count_nonzero(found) > BYTE:
            return 16
    return 8


def depth_part(depth: Depth) -> tuple[Depth, ...]:
    """Return what a depth adds to the name of a pack: nothing for 8, as older packs have none."""
    return () if depth == 8 else (depth,)


def reopen_as(cache: Path, name: Callable[[str | None, Depth], str], wanted: str | None, depth: Depth) -> Packed | None:
    """Map packed data of a range and a depth, also those that were packed before either was known.

    Args:
        cache: Folder of the cache.
        name: The key of the pack, by the range and the depth that were asked for.
        wanted: Range of the numbers; None chooses one.
        depth: Bits of a channel; "auto" chooses.

    Raises:
        StorageError: The pack may not be read.
    """
    for limits in dict.fromkeys((wanted, None)):
        for bits in dict.fromkeys((depth, "auto")):
            packed = reopen(cache, name(limits, bits))
            if packed is None or (limits != wanted and packed.spec.range != wanted):
                continue
            if depth in ("auto", packed.spec.bits):
                return packed
    return None
