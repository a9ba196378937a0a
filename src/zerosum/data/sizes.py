"""Sizes at which data could be trained, before anything is packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

import numpy as np

from zerosum.data.halving import nearest_halvable
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import key_of
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.kept_tables import as_column, of_column, read_table, write_table
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.scan import plan_for, survey
from zerosum.data.sources import moving
from zerosum.data.sources.audio_files import is_audio
from zerosum.data.sources.find import Toy, built_in, find, with_default_size
from zerosum.data.sources.image_array import settle
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.label_table import label_key
from zerosum.data.sources.labels import labelling
from zerosum.data.sources.point_files import is_points
from zerosum.data.spec import Spec
from zerosum.data.volumes.source import is_volumes
from zerosum.runtime.thread_pool import ProgressCallback

KEPT_FILES = 1000
"""Files from which on it is kept what their headers say: fewer are read in no time."""
SMALLEST = 32
"""Pixels of a longer side below which images are not made smaller to be trained faster."""


def candidates(
    source: str | Path, options: DataConfig, progress: ProgressCallback | None = None
) -> tuple[list[Spec], int]:
    """Return what images would be at each size that they could be trained at, the smallest first, and how many.

    Args:
        source: as for `zerosum.kinds.images.open`.
        options: what was asked for; a size among it is the only one.
        progress: told of the stage "look".

    Returns:
        The size that fits the data, and its halves down to 32 pixels; none where there are no images. And their number.

    Raises:
        InputError: there are no such data, or the options or the labels do not fit them.
    """
    looked = _look(source, options, progress)
    if looked is None:
        return [], 0
    spec, sizes, count = looked
    asked = DataConfig(size=recommended(sizes)).sides() if options.size is None else None
    sides = [spec.shape[1:]] if asked is None else reversed(_halves(asked))
    return [replace(spec, shape=(spec.shape[0], *side)) for side in sides], count


def expected(source: str | Path, options: DataConfig, progress: ProgressCallback | None = None) -> Spec | None:
    """Return what images will be when they are opened; None for points and sounds, and where no image can be used.

    Raises:
        InputError: there are no such data, or the options or the labels do not fit them.
    """
    looked = _look(source, options, progress)
    return None if looked is None else looked[0]


def _look(
    source: str | Path, options: DataConfig, progress: ProgressCallback | None
) -> tuple[Spec, Sequence[tuple[int, int]], int] | None:
    """Read headers; return what the images will be, the sizes that they have, and how many they are."""
    options = with_default_size(source, options.checked())
    if not is_images(source):
        return None
    found = find(source, options, progress)
    if isinstance(found, Toy):
        return None
    if isinstance(found, ImageFiles):
        looked = _of_files(found, options, progress)
        return None if looked is None else (*looked, len(looked[1]))
    table = found.read()
    plan, settled = settle(table, options)
    spec = Spec(shape=(plan.channels, plan.height, plan.width), classes=settled.classes)
    return spec, [table.samples.shape[1:3]], len(table.samples)


def _of_files(
    files: ImageFiles, options: DataConfig, progress: ProgressCallback | None
) -> tuple[Spec, list[tuple[int, int]]] | None:
    """Return what image files will be, and their sizes; of many files this is kept in the cache."""
    place = None
    if len(files.names) >= KEPT_FILES:
        cache, table = options.cache_folder(), label_key(files, options)
        asked = {name: value for name, value in asdict(options).items() if name != "cache"}
        key = key_of("look", content_of(files, cache, progress), files.prefix, asked, table)
        place = cache / "identities" / f"{key}.npz"
        if kept := read_table(place):
            shape, classes, attributes = map(tuple, of_column(kept["spec"]))
            spec = Spec(shape=shape, classes=classes, attributes=attributes)
            return spec, [(height, width) for height, width in kept["sizes"].tolist()]
    with no_bombs():
        looked = survey(files, progress, range=options.range)
    sizes = [(fact.height, fact.width) for fact in looked.facts.values()]
    if not sizes:
        return None
    plan, labels = plan_for(looked, options)[0], labelling(files, options)
    shape = (plan.channels, plan.height, plan.width)
    if place is not None:
        said = as_column([shape, labels.classes, labels.attributes])
        write_table(place, {"spec": said, "sizes": np.array(sizes, np.int32)})
    return Spec(shape=shape, classes=labels.classes, attributes=labels.attributes), sizes


def _halves(sides: tuple[int, int]) -> list[tuple[int, int]]:
    """Return a size, its half, the half of that and so on, as long as sides are even and the longer is 32 or more.

    >>> _halves((192, 256)), _halves((28, 28))
    ([(192, 256), (96, 128), (48, 64), (24, 32)], [(28, 28)])
    """
    found = [sides]
    while all(side % 2 == 0 for side in found[-1]) and max(found[-1]) // 2 >= SMALLEST:
        found.append((found[-1][0] // 2, found[-1][1] // 2))
    return found


def at_size(options: DataConfig, spec: Spec) -> DataConfig:
    """Return options that give images the size of a spec."""
    return replace(options, size=f"{spec.shape[1]}x{spec.shape[2]}")


def recommended(sizes: Sequence[tuple[int, int]]) -> str | None:
    """Return the size that fits most images: the typical one keeps its shape, not enlarged, from 32 to 256 a side.

    It is one that can be halved, so that it can be trained.

    >>> recommended([(480, 640)]), recommended([(28, 28)]), recommended([(300, 310), (90, 100), (200, 200)])
    ('192x256', '28', '128')
    """
    if not sizes:
        return None
    if len(set(sizes)) == 1 and max(sizes[0]) <= 128 and min(sizes[0]) >= 16:
        return _spelt(nearest_halvable(sizes[0]))
    height, width = median(h for h, _ in sizes), median(w for _, w in sizes)
    long = max((side for side in (32, 64, 128, 256) if side <= max(height, width)), default=32)
    shape = height / width
    if 0.9 < shape < 1.1:
        return str(long)
    short = max(16, round(long * min(shape, 1 / shape) / 16) * 16)
    return _spelt(nearest_halvable((long, short) if shape > 1 else (short, long)))


def _spelt(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def like(spec: Spec, options: DataConfig) -> DataConfig:
    """Return options that bring images to the size, and where they are made from nothing the channels, of a spec."""
    asked = replace(options, size="x".join(map(str, spec.shape[1:])), range=spec.range or options.range)
    return asked if spec.source_shape is not None else replace(asked, channels=spec.shape[0])


def is_images(source: str | Path) -> bool:
    """Whether a source can be of images: whatever is of no other kind beyond doubt."""
    made = built_in(source) in moving.NAMES
    return not made and not is_points(source) and not is_volumes(source) and not is_audio(source)
