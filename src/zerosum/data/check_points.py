"""Looking points over before training."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.data.sources.find import built_in, name_of
from zerosum.data.sources.point_files import read_points


def check_points(source: str | Path, options: DataConfig) -> CheckReport:
    """Look points over.

    Raises:
        InputError: there is no such split, or a point is not finite.
    """
    name = built_in(source)
    points, labels = toys.points(name, options.split) if name else (read_points(source, options), None)
    classes = Counter(() if labels is None else labels.tolist())
    return CheckReport(
        source=name_of(source),
        kind="points",
        samples=len(points),
        corrupt={},
        sizes={},
        modes={},
        bits={},
        classes={str(mode): classes[mode] for mode in sorted(classes)},
        duplicates=(),
        shape=(2,),
        recommended_size=None,
        notes=("Points keep their own units.",),
        warnings=(),
    )
