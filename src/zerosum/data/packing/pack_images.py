"""From image files to packed rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import written
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.encoded import LARGEST_PIXEL_BYTES
from zerosum.data.packing.making import Packing, new_pack
from zerosum.data.packing.problems import require_usable, told
from zerosum.data.packing.rows import render, whole
from zerosum.data.packing.scan import Scan, attempt, plan_for, survey
from zerosum.data.packing.tiles import corners, tiles
from zerosum.data.sources.image_files import ImageFiles, left_out
from zerosum.data.sources.labels import labelling
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, cores, on_all_cores
from zerosum.text import counted

WINDOW_BYTES = 1 << 26
KEPT_AS_FILES = "The files are kept as they are and decoded when they are drawn: --pack pixels decodes them once."


def pack_files(
    cache: Path, key: str, files: ImageFiles, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Decode every image once, into a pack of the cache.

    Raises:
        InputError: Images cannot be used and are not to be skipped, or none is left, or labels asked for are missing.
        StorageError: The cache cannot be written to.
    """
    labels = labelling(files, options)
    found = survey(files, progress, range=options.range, depth=options.depth)
    problems = dict(found.problems)
    judge = partial(require_usable, unit="image", place=files.root, corrupt=options.corrupt)
    judge(problems, len(files.names), headers=True)
    plan, _ = plan_for(found, options)
    _require_room(files, found, plan, options)
    encoded = plan if _as_files(plan, options, len(found.facts)) else None
    shape = (plan.height, plan.width, plan.channels)
    with new_pack(cache, key, shape, plan.bits, encoded, tuple(found.facts)) as packing:
        _decode(packing, files, found, plan, options, progress)
        problems |= packing.skipped
        judge(problems, len(files.names))
        decoded = {name: found.facts[name] for name in packing.rows}
        settled = replace(options, size=f"{plan.height}x{plan.width}", channels=plan.channels)
        _, notes = plan_for(replace(found, facts=decoded), settled)
        skipped = (f"Skipped as corrupt: {counted(len(problems), 'image')} ({told(problems)}).",) if problems else ()
        spec = Spec(
            shape=(plan.channels, plan.height, plan.width),
            classes=labels.classes,
            attributes=labels.attributes,
            bits=plan.bits,
            range=written(plan.scales),
        )
        narrow = packing.levels.warnings([plan.scales[fact.wide] for fact in decoded.values() if fact.wide])
        kept = (KEPT_AS_FILES,) if encoded else ()
        said = (*notes, labels.sentence, *left_out(files), *skipped, *narrow, *kept)
        packing.finish(labels=labels.numbers(packing.names()), spec=spec, notes=said, source=str(files.root))


def _decode(
    packing: Packing,
    files: ImageFiles,
    found: Scan,
    plan: PixelFormat,
    options: DataConfig,
    progress: ProgressCallback | None,
) -> None:
    """Put all images into a pack, behind those that are there."""
    for name, rows in _rows(packing.left, files, found, plan, options, progress):
        problem = reason(rows) if isinstance(rows, Exception) else None
        for row in () if isinstance(rows, Exception) else rows:
            packing.append(row[None], b"" if packing.encoded is None else _content(files, name))
        packing.end_file(name, problem)


def _as_files(plan: PixelFormat, options: DataConfig, count: int) -> bool:
    """Whether to keep files as they are; tiles, of which a file has many, are kept as pixels.

    Raises:
        InputError: files are asked for, of tiles.
    """
    if options.fit == "tiles":
        if options.pack == "files":
            raise InputError("--pack files keeps an image a file, and --fit tiles cuts each into many: choose one.")
        return False
    size = count * plan.height * plan.width * plan.channels * plan.bits // 8
    return options.pack == "files" or (options.pack == "auto" and size > LARGEST_PIXEL_BYTES)


def _content(files: ImageFiles, name: str) -> bytes:
    with files.open(name) as file:
        return file.read()


def _rows(
    names: Sequence[str],
    files: ImageFiles,
    found: Scan,
    plan: PixelFormat,
    options: DataConfig,
    progress: ProgressCallback | None,
) -> Iterator[tuple[str, Iterable[np.ndarray] | Exception]]:
    """Yield of each of the last files what it gives: a row that covers the size, or the tiles it holds."""
    tiled, count = options.fit == "tiles", len(found.facts)
    pixels = max(fact.height * fact.width for fact in found.facts.values()) if tiled else plan.height * plan.width
    window = max(2 * cores(), min(512, WINDOW_BYTES // (pixels * plan.channels)))
    images = on_all_cores(attempt(files, partial(whole if tiled else render, plan=plan)), names, window=window)
    for done, (name, image) in enumerate(zip(names, images, strict=True), start=count - len(names) + 1):
        yield name, image if isinstance(image, Exception) else tiles(image, plan) if tiled else (image,)
        if progress is not None and (done % 100 == 0 or done == count):
            progress("pack", done, count)


def _require_room(files: ImageFiles, found: Scan, plan: PixelFormat, options: DataConfig) -> None:
    """See that at least one image holds a tile."""
    sizes = [(fact.height, fact.width) for fact in found.facts.values()]
    if options.fit == "tiles" and not any(corners(size, plan) for size in sizes):
        side = max(min(size) for size in sizes)
        raise InputError(
            f"No image in {files.root} holds a tile of {plan.height}x{plan.width} pixels: --size {side} would fit."
        )
