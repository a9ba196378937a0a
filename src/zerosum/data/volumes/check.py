"""Looking volumes over before training."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.sources.find import name_of
from zerosum.data.volumes import grids, shapes3d
from zerosum.data.volumes.pack import Tally, each
from zerosum.data.volumes.source import find_volumes
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

FEW = 200
"""Volumes below which a discriminator memorises them."""

SPARSE = 0.005
"""Share of occupied cells below which a generator may end at empty volumes."""


def check_volumes(source: str | Path, options: DataConfig, progress: ProgressCallback | None = None) -> CheckReport:
    """Look volumes over. Those that cannot be used are reported, never raised.

    Raises:
        InputError: There are no such data, or the options or the labels do not fit them.
    """
    if name_of(source) == shapes3d.NAME:
        return _of_shapes(options)
    found, tally = find_volumes(source, options), Tally()
    digests: dict[str, list[str]] = {}
    for grid in each(found, tally, progress):
        digest = hashlib.blake2b(grids.packed(grid[None]).tobytes(), digest_size=16).hexdigest()
        digests.setdefault(digest, []).append(tally.names[-1])
    classes = Counter(dict.fromkeys(found.classes, 0))
    classes.update(() if found.of is None else (found.classes[found.of[name]] for name in tally.names))
    duplicates = tuple(tuple(group) for group in digests.values() if len(group) > 1)
    return CheckReport(
        source=name_of(source),
        kind="volumes",
        samples=len(tally.names),
        corrupt=tally.problems,
        sizes=dict(tally.sizes.most_common(10)),
        modes={},
        bits={},
        classes=dict(classes),
        duplicates=duplicates,
        shape=(1, *(tally.side,) * 3) if tally.names else None,
        recommended_size=str(tally.side) if tally.names else None,
        notes=(*tally.notes(), *found.notes) if tally.names else found.notes,
        warnings=_warnings(tally, duplicates),
    )


def _of_shapes(options: DataConfig) -> CheckReport:
    side = grids.side_of(options.size) or 32
    volumes, labels = shapes3d.shapes(options.split, side)
    counts = Counter(shapes3d.CLASSES[label] for label in labels)
    return CheckReport(
        source=shapes3d.NAME,
        kind="volumes",
        samples=len(volumes),
        corrupt={},
        sizes={},
        modes={},
        bits={},
        classes=dict(counts),
        duplicates=(),
        shape=(1, side, side, side),
        recommended_size=None,
        notes=(f"Procedural shapes, {volumes.mean():.1%} of the cells occupied.",),
        warnings=(),
    )


def _warnings(tally: Tally, duplicates: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    warnings = []
    many = len(tally.names)
    if tally.problems:
        warnings.append(
            f"{counted(len(tally.problems), 'volume')} cannot be used: training refuses to start unless --corrupt skip "
            "is given."
        )
    if many < FEW:
        warnings.append(f"{counted(many, 'volume')} are few: below {FEW} a discriminator memorises them; collect more.")
    if many and tally.cells < SPARSE * many * tally.side**3:
        warnings.append(f"Less than {SPARSE:.1%} of the cells are occupied: volumes this thin may be learned as empty.")
    if duplicates:
        extra = sum(len(group) - 1 for group in duplicates)
        warnings.append(f"Exact repeats of another volume: {extra:,}, in {counted(len(duplicates), 'group')}.")
    return tuple(warnings)
