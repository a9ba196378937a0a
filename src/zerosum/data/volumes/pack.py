"""Volumes of one size, packed as bits in the cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.packing.decode import reason
from zerosum.data.packing.making import new_pack
from zerosum.data.packing.open_image import Unusable
from zerosum.data.packing.problems import require_usable, told
from zerosum.data.spec import Spec
from zerosum.data.volumes import grids
from zerosum.data.volumes.grids import Decoded
from zerosum.data.volumes.source import VolumeSource
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted, listed

TOLD_EVERY = 100
"""Volumes between two words on progress."""


@dataclass(kw_only=True)
class Tally:
    """What was found while volumes were read."""

    problems: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    sizes: Counter[str] = field(default_factory=Counter)
    cells: int = 0
    """Occupied ones, of all volumes."""

    meshes: int = 0
    opened: list[str] = field(default_factory=list)
    """Meshes that are not watertight."""

    side: int = 0
    """Cells a side to which all are brought; 0 until a volume was read."""

    def notes(self) -> tuple[str, ...]:
        """Say what was done to the volumes, one sentence each."""
        side, many = self.side, len(self.names)
        stored = listed([f"{number:,} of {size}" for size, number in self.sizes.most_common()])
        share = self.cells / max(1, many * side**3)
        notes = [f"{counted(many, 'volume')} of {side}x{side}x{side} cells, {share:.1%} of them occupied."]
        if set(self.sizes) - {f"{side}x{side}x{side}"}:
            notes.append(
                f"Brought to that size by whole factors and empty cells around ({stored}): a larger cell is occupied "
                "where any cell in it is."
            )
        if self.meshes:
            notes.append(
                f"Meshes are solid: cells that the surface passes through or encloses are occupied ({self.meshes:,})."
            )
        if self.opened:
            notes.append(
                f"{len(self.opened):,} of the meshes are not watertight ({listed(self.opened)}): where a hole is wider "
                "than a cell, the inside stays empty."
            )
        return tuple(notes)


def each(source: VolumeSource, tally: Tally, progress: ProgressCallback | None = None) -> Iterator[np.ndarray]:
    """Yield the volumes that can be used, at one size: (side, side, side) bool. The tally is filled on the way.

    Without a size that was asked for, all have to have the size of the first one.
    """
    first: tuple[str, tuple[int, ...]] | None = None
    for done, found in enumerate(source.decoded(), start=1):
        if progress is not None and (done % TOLD_EVERY == 0 or done == len(source)):
            progress("pack", done, len(source))
        grid = found.grid
        if not isinstance(grid, Exception) and first is not None and source.asked is None and grid.shape != first[1]:
            grid = _another_size(grid.shape, first)
        if isinstance(grid, Exception):
            tally.problems[found.name] = reason(grid)
            continue
        first = first or (found.name, grid.shape)
        tally.side = source.asked or grids.default_side(max(first[1]))
        resized = grids.resized(grid, tally.side)
        _count(tally, found, grid, resized)
        yield resized


def pack_volumes(
    cache: Path, key: str, source: VolumeSource, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Read every volume once, into a pack of the cache.

    Raises:
        InputError: Volumes cannot be used and are not to be skipped, or none is left.
        StorageError: The cache cannot be written to.
    """
    tally = Tally()
    volumes = each(source, tally, progress)
    start = next(volumes, None)
    if start is None:
        raise InputError(f"No volume in {source.place} can be used: {told(tally.problems)}.")
    with new_pack(cache, key, (start.size // 8,)) as packing:
        packing.append(grids.packed(start[None]))
        for grid in volumes:
            packing.append(grids.packed(grid[None]))
        require_usable(tally.problems, len(source), unit="volume", place=source.place, corrupt=options.corrupt)
        skipped = (f"Skipped: {counted(len(tally.problems), 'volume')} ({told(tally.problems)}).",) * bool(
            tally.problems
        )
        labels = None if source.of is None else np.array([source.of[name] for name in tally.names], np.int64)
        spec = Spec(shape=(1, *(tally.side,) * 3), kind="volumes", classes=source.classes)
        packing.finish(labels=labels, spec=spec, notes=(*tally.notes(), *source.notes, *skipped), source=source.place)


def _count(tally: Tally, found: Decoded, given: np.ndarray, grid: np.ndarray) -> None:
    tally.names.append(found.name)
    tally.sizes["x".join(map(str, given.shape))] += 1
    tally.cells += int(np.count_nonzero(grid))
    tally.meshes += found.is_mesh
    tally.opened += [found.name] * found.is_open


def _another_size(shape: tuple[int, ...], first: tuple[str, tuple[int, ...]]) -> Unusable:
    here, there = ("x".join(map(str, sides)) for sides in (shape, first[1]))
    return Unusable(
        f"has {here} cells and {first[0]} {there}; --size {grids.default_side(max(first[1]))} brings all to one size"
    )
