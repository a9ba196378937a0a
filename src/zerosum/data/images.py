"""From image files to packed rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.data.decode import Plan, reason, render
from zerosum.data.files import Files, left_out
from zerosum.data.labels import labelling
from zerosum.data.options import DataOptions
from zerosum.data.pack import new_pack
from zerosum.data.spec import Spec
from zerosum.data.survey import attempt, plan_for, survey
from zerosum.data.words import counted, listed
from zerosum.data.workers import Progress, cores, on_all_cores
from zerosum.errors import InputError

WINDOW_BYTES = 1 << 26


def pack_files(cache: Path, key: str, files: Files, options: DataOptions, progress: Progress | None = None) -> None:
    """Decode every image once, into a pack of the cache.

    Raises:
        InputError: Images cannot be used and are not to be skipped, or none is left, or labels are not to be had.
        StorageError: The cache cannot be written to.
    """
    labels = labelling(files, options)
    found = survey(files, progress)
    problems = dict(found.problems)
    _judge(files, problems, options)
    if not found.facts:
        raise _nothing_left(files, problems)
    plan, notes = plan_for(found, options)
    kept: list[str] = []
    with new_pack(cache, key, (plan.height, plan.width, plan.channels)) as packing:
        for name, row in _rows(files, tuple(found.facts), plan, progress):
            if isinstance(row, Exception):
                problems[name] = reason(row)
            else:
                packing.append(row[None])
                kept.append(name)
        _judge(files, problems, options)
        if not kept:
            raise _nothing_left(files, problems)
        skipped = (f"Skipped as corrupt: {counted(len(problems), 'image')} ({_first(problems)}).",) if problems else ()
        spec = Spec(shape=(plan.channels, plan.height, plan.width), classes=labels.classes)
        said = (*notes, labels.sentence, *left_out(files), *skipped)
        packing.finish(labels=labels.numbers(kept), spec=spec, notes=said)


def _rows(
    files: Files, names: tuple[str, ...], plan: Plan, progress: Progress | None
) -> Iterator[tuple[str, np.ndarray | Exception]]:
    size = plan.height * plan.width * plan.channels
    window = max(2 * cores(), min(512, WINDOW_BYTES // size))
    rows = on_all_cores(attempt(files, partial(render, plan=plan)), names, window=window)
    for done, (name, row) in enumerate(zip(names, rows, strict=True), start=1):
        yield name, row
        if progress is not None and (done % 100 == 0 or done == len(names)):
            progress("pack", done, len(names))


def _judge(files: Files, problems: dict[str, str], options: DataOptions) -> None:
    """Refuse corrupt images unless they are to be skipped."""
    if problems and options.corrupt == "refuse":
        raise InputError(
            f"{len(problems):,} of {counted(len(files.names), 'image')} in {files.root} cannot be used: "
            f"{_first(problems)}; see all with `zerosum data check {files.root}`, "
            "or leave them out with --corrupt skip."
        )


def _nothing_left(files: Files, problems: dict[str, str]) -> InputError:
    return InputError(f"No image in {files.root} can be used: {_first(problems)}.")


def _first(problems: dict[str, str]) -> str:
    return listed([f"{name} {why}" for name, why in problems.items()], separator="; ")
