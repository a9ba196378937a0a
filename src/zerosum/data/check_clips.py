"""Looking clips over before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.pack_clips import plan_for, survey
from zerosum.data.sources import moving
from zerosum.data.sources.clip_files import find_clips
from zerosum.data.sources.find import built_in, name_of, shadowed
from zerosum.data.sources.image_files import left_out
from zerosum.data.sources.labels import labelling
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

FEW_CLIPS = 200


def check_clips(source: str | Path, options: DataConfig, progress: ProgressCallback | None = None) -> CheckReport:
    """Look clips over by their first frames. What cannot be used is reported, never raised.

    Raises:
        InputError: There are no such data, or the options or the labels do not fit them.
    """
    if (name := built_in(source)) is not None:
        return _of_made(name, source, options, progress)
    clips = find_clips(source, options)
    labels = labelling(clips.files, options)
    with no_bombs():
        scan = survey(clips, options, progress)
    facts = scan.facts
    classes = Counter(dict.fromkeys(labels.classes, 0))
    classes.update(() if labels.of is None or labels.attributes else (labels.of[name] for name in facts))
    plan, _, notes = plan_for(scan, options) if facts else (None, None, ())
    lengths = [fact.frames for fact in facts.values() if fact.frames]
    shown = sorted({min(lengths), max(lengths)}) if lengths else []
    known = (f"Clips have {' to '.join(map(str, shown))} frames; a sample is {options.frames} of them.",)
    return CheckReport(
        source=name_of(source),
        kind=clips.form,
        samples=len(facts),
        corrupt=scan.problems,
        sizes=_common(f"{fact.height}x{fact.width}" for fact in facts.values()),
        modes=_common("RGB" if fact.colour else "L" for fact in facts.values()),
        bits={},
        classes=dict(classes),
        duplicates=(),
        shape=None if plan is None else (options.frames, plan.channels, plan.height, plan.width),
        recommended_size=None,
        notes=(*(known if lengths else ()), *notes, labels.sentence.replace("image", "clip"), *left_out(clips.files)),
        warnings=_warnings(len(facts)),
    )


def _of_made(name: str, source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> CheckReport:
    samples, labels, names = moving.clips(name, options, progress)
    counts = [] if labels is None else np.bincount(labels, minlength=len(names)).tolist()
    frames, height, width, channels = samples.shape[1:]
    return CheckReport(
        source=name,
        kind="made",
        samples=len(samples),
        corrupt={},
        sizes={f"{height}x{width}": len(samples)},
        modes={"RGB" if channels == 3 else "L": len(samples)},
        bits={},
        classes=dict(zip(names, counts, strict=True)),
        duplicates=(),
        shape=(frames, channels, height, width),
        recommended_size=None,
        notes=("Clips are made by rule.",),
        warnings=shadowed(source),
    )


def _common(found: Iterable[str]) -> dict[str, int]:
    return dict(Counter(found).most_common(10))


def _warnings(count: int) -> tuple[str, ...]:
    if count >= FEW_CLIPS:
        return ()
    verb = "is" if count == 1 else "are"
    return (f"There {verb} only {counted(count, 'clip')}: a discriminator soon memorises them.",) if count else ()
