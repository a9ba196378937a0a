"""Metrics of volumes as shapes: overlap with training shapes, Chamfer distances, and whether they hold together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool3d

from zerosum import kinds
from zerosum.evaluation.measures.base import POSITIVE, SHARE, Limits, MetricGroup, Values, within
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics import shapes
from zerosum.metrics.bootstrap import Interval, bootstrap, share_interval

PARTS: dict[str, Better] = {"occupancy-error": "lower", "connected": "higher", "largest-part": "higher"}
SETS: dict[str, Better] = {"coverage-cd": "higher", "mmd-cd": "lower", "1nna-cd": "near 0.5"}
NEAREST: dict[str, Better] = {"nearest-iou": "higher"}
TITLES = {
    "occupancy-error": "occupancy error",
    "connected": "connected shapes",
    "largest-part": "largest part",
    "coverage-cd": "coverage (Chamfer)",
    "mmd-cd": "MMD (Chamfer) x 1000",
    "1nna-cd": "1-NN accuracy (Chamfer)",
    "nearest-iou": "IoU, nearest training",
}

MOST = 512
"""Shapes of a side whose distances to all others are computed."""

SEARCHED = 20_000
"""Training shapes among which the nearest one is looked for."""

SIDE = 32
"""Cells a side to which larger grids are reduced before shapes are compared."""

TOGETHER = 0.95
"""Share of the occupied cells in one part from which a shape counts as connected: a few stray cells do not matter."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(names=PARTS, unavailable=_missing, compute=_compute_parts, quick=_quick_parts),
        MetricGroup(
            names=SETS,
            unavailable=_missing,
            compute=_compute_sets,
            blind="Chamfer distances do not react to what is inside a surface",
        ),
        MetricGroup(
            names=NEAREST,
            unavailable=_missing,
            compute=_compute_nearest,
            blind="the overlap with the nearest training shape is highest for copies of training shapes",
        ),
    )


def _missing(comparison: Comparison) -> str | None:
    if kinds.find(comparison.kind).features != "volumes":
        return f"it is of volumes, and these are {comparison.unit}"
    return None if min(len(comparison.fake), len(comparison.real)) > 1 else "it takes two shapes; give a larger --count"


def _grids(side: SampleSet, most: int = MOST) -> Tensor:
    """Return the first shapes of a side, (N, X, Y, Z) uint8, reduced to 32 cells a side."""
    assert side.samples is not None
    return _reduced(side.samples[:most])


def _reduced(volumes: Tensor) -> Tensor:
    step = max(1, volumes.shape[-1] // SIDE)
    return volumes[:, 0] if step == 1 else max_pool3d(volumes.float(), step)[:, 0].to(torch.uint8)


def _parts(side: SampleSet) -> Tensor:
    """Return of each shape the share of occupied cells, and that of its largest part: (N, 2)."""

    def measure() -> Tensor:
        grids = _grids(side)
        return torch.stack([grids.float().mean((1, 2, 3)), shapes.largest_parts(grids)], dim=1)

    return side.once("parts of shapes", measure)


def _values_of_parts(real: SampleSet, parts: Tensor) -> Values:
    wanted = float(_parts(real)[:, 0].mean())
    return {
        "occupancy-error": abs(float(parts[:, 0].mean()) - wanted) / max(wanted, 1e-9),
        "connected": float((parts[:, 1] >= TOGETHER).double().mean()),
        "largest-part": float(parts[:, 1].mean()),
    }


def _quick_parts(comparison: Comparison) -> Values:
    return _values_of_parts(comparison.real, _parts(comparison.fake))


def _compute_parts(comparison: Comparison) -> list[MetricResult]:
    real, fake, other = comparison.real, _parts(comparison.fake), _parts(comparison.reference.other)
    limits = {"occupancy-error": POSITIVE, "connected": SHARE, "largest-part": SHARE}
    settings = {
        "occupancy-error": "difference of the mean shares of occupied cells, over that of the data",
        "connected": f"{TOGETHER:.0%} of the cells or more in one part",
        "largest-part": "share of the occupied cells",
    }
    return _figures(
        comparison,
        PARTS,
        _values_of_parts(real, fake),
        _values_of_parts(real, other),
        resample=lambda rows: _values_of_parts(real, fake[rows]),
        limits=limits,
        settings=settings,
    )


def _compute_sets(comparison: Comparison) -> list[MetricResult]:
    count = min(MOST, len(comparison.fake), len(comparison.real))
    real, fake, other = (_grids(side, count) for side in (comparison.real, comparison.fake, comparison.reference.other))
    among, between = shapes.chamfer_distances(real, real), shapes.chamfer_distances(fake, real)

    def values(distances: Tensor) -> Values:
        found = shapes.compare_sets(distances)
        return {"coverage-cd": found.coverage, "mmd-cd": 1000 * found.distance}

    def accuracy(grids: Tensor, distances: Tensor) -> Values:
        fewest = min(len(grids), len(real))
        own = shapes.chamfer_distances(grids, grids)[:fewest, :fewest]
        square = distances[:fewest, :fewest]
        return {"1nna-cd": shapes.nearest_neighbour_accuracy(own, among[:fewest, :fewest], square)}

    apart = shapes.chamfer_distances(other, real)
    settings = f"squared distances of surface cells, {count} shapes a side"
    return _figures(
        comparison,
        SETS,
        {**values(between), **accuracy(fake, between)},
        {**values(apart), **accuracy(other, apart)},
        resample=lambda rows: values(between[rows]),
        limits={"coverage-cd": SHARE, "mmd-cd": POSITIVE, "1nna-cd": SHARE},
        settings=dict.fromkeys(SETS, settings),
        shares={"1nna-cd": 2 * count},
        count=count,
    )


def _compute_nearest(comparison: Comparison) -> list[MetricResult]:
    training = comparison.reference.training
    rows = np.arange(min(len(training), SEARCHED))
    splits = comparison.reference.splits
    unseen = comparison.real if splits.real.split != splits.trained else comparison.reference.other
    fake, other = _grids(comparison.fake), _grids(unseen)
    best_fake, best_other = torch.zeros(len(fake)), torch.zeros(len(other))
    alone = comparison.reference.held_out is None  # then real shapes are training shapes: copies of themselves
    for chunk in training.chunks(rows, size=256):
        known = _reduced(chunk)
        best_fake = torch.maximum(best_fake, shapes.intersection_over_union(fake, known).max(1).values)
        overlap = shapes.intersection_over_union(other, known)
        overlap = torch.where(overlap == 1, 0.0, overlap) if alone else overlap
        best_other = torch.maximum(best_other, overlap.max(1).values)
    return _figures(
        comparison,
        NEAREST,
        {"nearest-iou": float(best_fake.mean())},
        {"nearest-iou": float(best_other.mean())},
        resample=lambda chosen: {"nearest-iou": float(best_fake[chosen].mean())},
        limits={"nearest-iou": SHARE},
        settings={"nearest-iou": f"of {len(rows):,} training shapes"},
    )


def _figures(
    comparison: Comparison,
    names: dict[str, Better],
    values: Values,
    floors: Values,
    *,
    resample: Callable[[Tensor], Values],
    limits: dict[str, Limits],
    settings: dict[str, str],
    shares: dict[str, int] | None = None,
    count: int = MOST,
) -> list[MetricResult]:
    """Put values beside floors and intervals: of resampled shapes, or Wilson's of metrics that are shares of counts."""
    count = min(count, len(comparison.fake))
    draws: dict[str, Interval] = {}
    for name in names:
        if shares and name in shares:
            draws[name] = share_interval(values[name], shares[name])
            continue
        found = bootstrap(lambda rows, name=name: resample(rows)[name], count, seed=comparison.protocol.seed)
        draws[name] = within(found, values[name], limits[name], count=count)
    return [
        MetricResult(
            metric=name,
            title=TITLES[name],
            value=finite(values[name]),
            better=better,
            settings=settings[name],
            floor=finite(floors[name]),
            interval=draws[name],
        )
        for name, better in names.items()
    ]
