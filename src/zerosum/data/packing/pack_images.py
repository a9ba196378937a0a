"""From image files to packed rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import written
from zerosum.data.packing.decode import ImageHeader, PixelFormat, reason
from zerosum.data.packing.encoded import LARGEST_PIXEL_BYTES
from zerosum.data.packing.making import Packing, new_pack
from zerosum.data.packing.rows import render, whole
from zerosum.data.packing.scan import Scan, attempt, plan_for, survey
from zerosum.data.packing.tiles import corners, tiles
from zerosum.data.sources.image_files import ImageFiles, left_out
from zerosum.data.sources.labels import labelling
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, cores, on_all_cores
from zerosum.text import command, counted, listed

WINDOW_BYTES = 1 << 26
NOTED = 2_000
"""Files after which it is noted how far a pack has come; a kill loses at most these."""
KEPT_AS_FILES = "The files are kept as they are and decoded when they are drawn: --pack pixels decodes them once."


def pack_files(
    cache: Path, key: str, files: ImageFiles, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Decode every image once, into a pack of the cache.

    Raises:
        InputError: Images cannot be used and are not to be skipped, or none is left, or labels are not to be had.
        StorageError: The cache cannot be written to.
    """
    labels = labelling(files, options)
    found = survey(files, progress, range=options.range, depth=options.depth)
    problems = dict(found.problems)
    _judge(files, problems, options)
    if not found.facts:
        raise _nothing_left(files, problems)
    plan, _ = plan_for(found, options)
    _require_room(files, found, plan, options)
    encoded = plan if _as_files(plan, options, len(found.facts)) else None
    shape, resumable = (plan.height, plan.width, plan.channels), encoded is None and options.fit != "tiles"
    with new_pack(cache, key, shape, plan.bits, encoded, resumable=resumable) as packing:
        decoded, names, broken = _decoded(packing, files, found, plan, options, progress)
        problems |= broken
        _judge(files, problems, options)
        if not names:
            raise _nothing_left(files, problems)
        settled = replace(options, size=f"{plan.height}x{plan.width}", channels=plan.channels)
        _, notes = plan_for(replace(found, facts=decoded), settled)
        skipped = (f"Skipped as corrupt: {counted(len(problems), 'image')} ({_first(problems)}).",) if problems else ()
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
        packing.finish(labels=labels.numbers(names), spec=spec, notes=said, source=str(files.root))


def _decoded(
    packing: Packing,
    files: ImageFiles,
    found: Scan,
    plan: PixelFormat,
    options: DataConfig,
    progress: ProgressCallback | None,
) -> tuple[dict[str, ImageHeader], list[str], dict[str, str]]:
    """Put all images into a pack, behind those that are there; return headers, names by row, and what is broken."""
    begun, broken = packing.begun, dict(packing.begun.skipped)
    names = [name for name in list(found.facts)[: begun.done] if name not in broken]
    decoded = {name: found.facts[name] for name in names}
    images = _rows(files, found, plan, options, progress, after=begun.done)
    for done, (name, rows) in enumerate(images, start=begun.done + 1):
        if isinstance(rows, Exception):
            broken[name] = reason(rows)
        else:
            decoded[name] = found.facts[name]
            for row in rows:
                packing.append(row[None], b"" if packing.encoded is None else _content(files, name))
                names.append(name)
        if packing.resumable and done % NOTED == 0:
            packing.mark(done, broken)
    return decoded, names, broken


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
    files: ImageFiles,
    found: Scan,
    plan: PixelFormat,
    options: DataConfig,
    progress: ProgressCallback | None,
    *,
    after: int,
) -> Iterator[tuple[str, Iterable[np.ndarray] | Exception]]:
    """Yield of each file but the first `after` what it gives: a row that covers the size, or the tiles it holds."""
    names, tiled = tuple(found.facts), options.fit == "tiles"
    pixels = max(fact.height * fact.width for fact in found.facts.values()) if tiled else plan.height * plan.width
    window = max(2 * cores(), min(512, WINDOW_BYTES // (pixels * plan.channels)))
    images = on_all_cores(attempt(files, partial(whole if tiled else render, plan=plan)), names[after:], window=window)
    for done, (name, image) in enumerate(zip(names[after:], images, strict=True), start=after + 1):
        yield name, image if isinstance(image, Exception) else tiles(image, plan) if tiled else (image,)
        if progress is not None and (done % 100 == 0 or done == len(names)):
            progress("pack", done, len(names))


def _require_room(files: ImageFiles, found: Scan, plan: PixelFormat, options: DataConfig) -> None:
    """See that at least one image holds a tile."""
    sizes = [(fact.height, fact.width) for fact in found.facts.values()]
    if options.fit == "tiles" and not any(corners(size, plan) for size in sizes):
        side = max(min(size) for size in sizes)
        raise InputError(
            f"No image in {files.root} holds a tile of {plan.height}x{plan.width} pixels: --size {side} would fit."
        )


def _judge(files: ImageFiles, problems: dict[str, str], options: DataConfig) -> None:
    """Refuse corrupt images unless they are to be skipped."""
    if problems and options.corrupt == "refuse":
        raise InputError(
            f"{len(problems):,} of {counted(len(files.names), 'image')} in {files.root} cannot be used: "
            f"{_first(problems)}; see all with `{command('zerosum', 'data', 'check', files.root)}`, "
            "or leave them out with --corrupt skip."
        )


def _nothing_left(files: ImageFiles, problems: dict[str, str]) -> InputError:
    return InputError(f"No image in {files.root} can be used: {_first(problems)}.")


def _first(problems: dict[str, str]) -> str:
    return listed([f"{name} {why}" for name, why in problems.items()], separator="; ")
