"""Looking data over before training: what is there, what is wrong with it, and what training would make of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from zerosum.data.check_audio import check_audio
from zerosum.data.check_captions import captions_in, with_captions
from zerosum.data.check_clips import check_clips
from zerosum.data.check_points import check_points
from zerosum.data.check_report import CheckReport, describe
from zerosum.data.options import DataConfig
from zerosum.data.packing.decode import ImageHeader, PixelFormat, reason
from zerosum.data.packing.levels import levels_of
from zerosum.data.packing.open_image import no_bombs, open_image, upright
from zerosum.data.packing.rows import render
from zerosum.data.packing.scan import attempt, plan_for, survey
from zerosum.data.pair_names import told_pairs
from zerosum.data.sizes import recommended
from zerosum.data.sources.audio_files import is_audio
from zerosum.data.sources.clip_files import is_clips
from zerosum.data.sources.find import Toy, built_in, find, name_of, shadowed, with_default_size
from zerosum.data.sources.image_array import ImageArray, chunks, settle, wide_scales
from zerosum.data.sources.image_files import ImageFiles, left_out
from zerosum.data.sources.labels import labelling
from zerosum.data.sources.point_files import is_points
from zerosum.data.sources.splits import side_of
from zerosum.data.two_sided import NAMED
from zerosum.data.volumes.check import check_volumes
from zerosum.data.volumes.source import is_volumes
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores
from zerosum.text import counted

__all__ = ["CheckReport", "check", "describe"]

FEW_IMAGES = 500
UNBALANCED = 10
COMMON_SIZES = 10
LOOKED_AT = 256
"""Images whose levels of gray are counted."""
WINDOW = 64


def check(
    source: str | Path,
    options: DataConfig = DataConfig(),
    *,
    typed: Collection[str] = (),
    progress: ProgressCallback | None = None,
) -> CheckReport:
    """Look data over. Corrupt files are reported, never raised.

    Args:
        source: As for `zerosum.kinds.images.open`.
        options: What training would be asked for.
        typed: Settings that were given: frames say that folders of images are clips.
        progress: Told of a stage ("download", "look", "check"), what is done and what there is to do.

    Raises:
        InputError: There are no such data, or the options or the labels do not fit them.
    """
    if is_volumes(source):
        return check_volumes(source, options, progress)
    meant = built_in(source) is None and not {"frames", "frame_step"}.isdisjoint(typed)
    if is_clips(source) or (meant and not is_audio(source)):
        return check_clips(source, options.checked(), progress)
    options = with_default_size(source, options.checked())
    report = _checked(source, options, progress)
    return replace(report, warnings=(*report.warnings, *shadowed(source)))


def _checked(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> CheckReport:
    if is_audio(source):
        return check_audio(source, options, progress)
    if is_points(source):
        return check_points(source, options)
    found = find(source, options, progress)
    if isinstance(found, Toy):
        raise InputError(f"{found.name} is made of {found.unit}, and here images are needed: name other data.")
    if isinstance(found, ImageFiles):
        with no_bombs():
            report = _of_files(name_of(source), found, options, progress)
    else:
        report = _of_table(name_of(source), found.read(), options)
    return with_captions(report, captions_in(source, found, options))


def _of_files(source: str, files: ImageFiles, options: DataConfig, progress: ProgressCallback | None) -> CheckReport:
    labels = labelling(files, options)
    found = survey(files, progress, range=options.range, depth=options.depth)
    digests = {}
    problems = dict(found.problems)
    results = on_all_cores(attempt(files, _pixel_digest), list(found.facts), window=WINDOW)
    for done, (name, result) in enumerate(zip(found.facts, results, strict=True), start=1):
        if isinstance(result, Exception):
            problems[name] = reason(result)
        else:
            digests[name] = result
        if progress is not None and (done % 100 == 0 or done == len(found.facts)):
            progress("check", done, len(found.facts))
    facts = {name: fact for name, fact in found.facts.items() if name in digests}
    classes = Counter(dict.fromkeys(labels.classes, 0))
    classes.update(() if labels.of is None or labels.attributes else (labels.of[name] for name in facts))
    plan, notes = plan_for(found, options) if facts else (None, ())
    duplicates = _groups(digests)
    few = [note for note in notes if note.startswith("All get an alpha channel")]
    return CheckReport(
        source=source,
        kind="files",
        samples=len(facts),
        corrupt=problems,
        sizes=_common(f"{fact.height}x{fact.width}" for fact in facts.values()),
        modes=_common(fact.mode for fact in facts.values()),
        bits=_common(str(fact.bits) for fact in facts.values()),
        classes=dict(classes),
        duplicates=duplicates,
        shape=None if plan is None else (plan.channels, plan.height, plan.width),
        recommended_size=recommended([(fact.height, fact.width) for fact in facts.values()]),
        notes=(*notes, labels.sentence, *left_out(files)),
        warnings=(
            *_warnings(len(facts), classes, duplicates, problems),
            *_narrow(files, facts, plan),
            *few,
            *_two_sided(files),
        ),
    )


def _two_sided(files: ImageFiles) -> tuple[str, ...]:
    """Say that folders look like two sides, which recipes without sides take for classes."""
    tops = {top.lower(): top for name in files.names if (top := files.inner(name).partition("/")[0])}
    sides = {side[1] for top in tops.values() if (side := side_of(top)) is not None}
    if files.identity:
        return told_pairs(files)
    if sides != {"A", "B"} and set(tops) not in [set(pair) for pair in NAMED]:
        return ()
    return (
        "The folders look like two sides, not classes: --recipe pix2pix learns from pairs of one name, --recipe "
        "cyclegan from two sets without pairs.",
    )


def _narrow(files: ImageFiles, facts: dict[str, ImageHeader], plan: PixelFormat | None) -> tuple[str, ...]:
    """Warn of images that fill few levels of gray, by a share of them."""
    names = list(facts)[:: max(1, len(facts) // LOOKED_AT)]
    if plan is None:
        return ()
    images = on_all_cores(attempt(files, partial(render, plan=plan)), names, window=WINDOW)
    levels = levels_of(image[None] for image in images if not isinstance(image, Exception))
    return levels.warnings([plan.scales[fact.wide] for fact in facts.values() if fact.wide])


def _of_table(source: str, table: ImageArray, options: DataConfig) -> CheckReport:
    plan, settled = settle(table, options)
    some = replace(settled, samples=settled.samples[:: max(1, len(settled.samples) // LOOKED_AT)])
    narrow = levels_of(chunks(some, plan)).warnings(wide_scales(settled))
    count, height, width, channels = table.samples.shape
    digests = {f"image {row}": _digest(np.ascontiguousarray(image).data) for row, image in enumerate(table.samples)}
    counts = [] if settled.labels is None else np.bincount(settled.labels, minlength=len(settled.classes)).tolist()
    classes = Counter(dict(zip(settled.classes, counts, strict=True))) if counts else Counter()
    duplicates = _groups(digests)
    return CheckReport(
        source=source,
        kind="array",
        samples=count,
        corrupt={},
        sizes={f"{height}x{width}": count},
        modes={{1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels"): count},
        bits={str(8 * table.samples.dtype.itemsize): count},
        classes=dict(classes),
        duplicates=duplicates,
        shape=(plan.channels, plan.height, plan.width),
        recommended_size=recommended([(height, width)]),
        notes=settled.notes,
        warnings=(*_warnings(count, classes, duplicates, {}), *narrow),
    )


def _pixel_digest(file: BinaryIO) -> bytes:
    """Digest of an image's pixels, upright: equal for files that differ only in how they are stored."""
    with open_image(file) as image:
        image.load()
        turned = upright(image)
        plain = turned.convert("RGBA" if "transparency" in turned.info else "RGB") if turned.mode == "P" else turned
        return _digest(f"{plain.mode} {plain.size}".encode() + plain.tobytes())


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _groups(digests: dict[str, bytes]) -> tuple[tuple[str, ...], ...]:
    """Names that share a digest."""
    first: dict[bytes, str] = {}
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        if (earlier := first.setdefault(digest, name)) != name:
            groups.setdefault(earlier, [earlier]).append(name)
    return tuple(map(tuple, groups.values()))


def _common(values: Iterable[str]) -> dict[str, int]:
    counts = Counter(values).most_common()
    rest = sum(number for _, number in counts[COMMON_SIZES:])
    return dict(counts[:COMMON_SIZES]) | ({"others": rest} if rest else {})


def _warnings(
    count: int, classes: Counter[str], duplicates: tuple[tuple[str, ...], ...], problems: dict[str, str]
) -> tuple[str, ...]:
    warnings = []
    if problems:
        warnings.append(
            f"{counted(len(problems), 'corrupt file')}: training refuses to start unless --corrupt skip is given."
        )
    if 0 < count < FEW_IMAGES:
        warnings.append(
            f"{counted(count, 'sample')} are few: below {FEW_IMAGES} a discriminator memorises them, which "
            "augmentation delays: collect more."
        )
    if classes and max(classes.values()) > UNBALANCED * min(classes.values()):
        (most, many), (least, few) = max(classes.items(), key=_second), min(classes.items(), key=_second)
        warnings.append(f"Classes are unbalanced: {most} has {counted(many, 'sample')}, {least} has {few:,}.")
    if duplicates:
        extra = sum(len(group) - 1 for group in duplicates)
        warnings.append(f"Exact repeats of another sample: {extra:,}, in {counted(len(duplicates), 'group')}.")
    return tuple(warnings)


def _second(pair: tuple[str, int]) -> int:
    return pair[1]
