"""From clips in files to packed windows of frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median_low
from typing import TypeVar

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.packing.clip_frames import ClipHeader, inspect, read_clip, too_short
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.frame_rate import SAME_RATE
from zerosum.data.packing.making import new_pack
from zerosum.data.packing.problems import require_usable, told
from zerosum.data.sources.clip_files import ClipFiles
from zerosum.data.sources.image_files import left_out
from zerosum.data.sources.labels import labelling
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, cores, on_all_cores
from zerosum.text import counted, listed

Result = TypeVar("Result")
LARGEST = 32
"""Side of frames, in pixels, up to which they keep their size where none is asked for: the largest that a CPU was seen
to learn (docs/clips.md)."""

FORMS = {
    "videos": "A clip is a video",
    "strips": "A clip is an image: a strip of square frames from left to right",
    "frames": "A clip is a folder of frames, in the order of their names",
}


@dataclass(frozen=True, kw_only=True)
class ClipScan:
    """What the clips are, before they are decoded."""

    facts: dict[str, ClipHeader]
    problems: dict[str, str]
    """Why a clip cannot be used, by name: the end of the sentence "a.mp4 ..."."""


def survey(clips: ClipFiles, options: DataConfig, progress: ProgressCallback | None = None) -> ClipScan:
    """Look at the first frame of every clip.

    Raises:
        InputError: PyAV is needed and not installed.
    """
    facts: dict[str, ClipHeader] = {}
    problems: dict[str, str] = {}
    names = clips.files.names
    found = on_all_cores(_tried(partial(inspect, clips)), names, window=64)
    for done, (name, result) in enumerate(zip(names, found, strict=True), start=1):
        if isinstance(result, Exception):
            problems[name] = reason(result)
        elif (
            result.frames
            and result.rate is None
            and (short := too_short(result.frames, options.frames, options.frame_step))
        ):
            problems[name] = short
        else:
            facts[name] = result
        if progress is not None and (done % 100 == 0 or done == len(names)):
            progress("look", done, len(names))
    return ClipScan(facts=facts, problems=problems)


def plan_for(scan: ClipScan, options: DataConfig) -> tuple[PixelFormat, float | None, tuple[str, ...]]:
    """Decide the size, channels and rate that all frames get, and say what that does to them.

    Args:
        scan: of at least one usable clip.
        options: what the user asked for.
    """
    facts = list(scan.facts.values())
    sizes = {(fact.height, fact.width) for fact in facts}
    own = next(iter(sizes)) if len(sizes) == 1 and max(next(iter(sizes))) <= LARGEST else (LARGEST, LARGEST)
    height, width = options.sides() or own
    channels = options.channels or (3 if any(fact.colour for fact in facts) else 1)
    plan = PixelFormat(height=height, width=width, channels=channels, scales={}, padded=options.fit == "pad")
    rates = [fact.rate for fact in facts if fact.rate is not None]
    rate = median_low(rates) if rates else None
    others = sum(abs(each / rate - 1) > SAME_RATE for each in rates) if rate is not None else 0
    notes = []
    if sizes != {(height, width)}:
        shown = listed([f"{h}x{w}" for h, w in sorted(sizes)])
        way = "lie whole within it" if plan.padded else "are cut to it"
        notes.append(f"Frames of {shown} come to {height}x{width} and {way}.")
    if others:
        notes.append(
            f"{counted(others, 'clip')} of another frame rate than {rate:g} a second, the most common: frames are "
            "repeated or left out, so that all move at one pace."
        )
    return plan, rate if others else None, tuple(notes)


def pack_clips(
    cache: Path, key: str, clips: ClipFiles, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Decode every clip once, into a pack of windows of `options.frames` frames.

    Raises:
        InputError: clips cannot be used and are not to be skipped, or none is left, or labels asked for are missing.
        StorageError: the cache cannot be written to.
    """
    labels = labelling(clips.files, options)
    scan = survey(clips, options, progress)
    problems = dict(scan.problems)
    judge(clips, problems, options, headers=True)
    plan, rate, notes = plan_for(scan, options)
    read = partial(read_clip, clips, plan=plan, length=options.frames, step=options.frame_step)

    def windows_of(name: str) -> np.ndarray:
        return read(name, rates=(scan.facts[name].rate, rate))

    shape = (options.frames, plan.height, plan.width, plan.channels)
    with new_pack(cache, key, shape, files=tuple(scan.facts)) as packing:
        found = on_all_cores(_tried(windows_of), packing.left, window=2 * cores())
        begun = len(scan.facts) - len(packing.left)
        for done, (name, windows) in enumerate(zip(packing.left, found, strict=True), start=begun + 1):
            if isinstance(windows, Exception):
                packing.end_file(name, reason(windows))
            else:
                packing.append(windows)
                packing.end_file(name)
            if progress is not None and (done % 20 == 0 or done == len(scan.facts)):
                progress("pack", done, len(scan.facts))
        problems |= packing.skipped
        judge(clips, problems, options)
        skipped = (f"Skipped: {counted(len(problems), 'clip')} ({told(problems)}).",) if problems else ()
        spec = Spec(
            shape=(options.frames, plan.channels, plan.height, plan.width),
            classes=labels.classes,
            attributes=labels.attributes,
        )
        said = (*form_notes(clips, Counter(packing.rows), options), *notes, labels.sentence.replace("image", "clip"))
        packing.finish(
            labels=labels.numbers(packing.names()),
            spec=spec,
            notes=(*said, *left_out(clips.files), *skipped),
            source=str(clips.files.root),
        )


def form_notes(clips: ClipFiles, used: Counter[str], options: DataConfig) -> tuple[str, ...]:
    """Say what a clip is of the files, and into how many windows clips are cut."""
    step = "" if options.frame_step == 1 else f", every {options.frame_step}th frame of it"
    windows, longest = sum(used.values()), max(used.values())
    cut = f"Clips are cut into {counted(windows, 'piece')} of {options.frames} frames that do not overlap; what is"
    return (
        f"{FORMS[clips.form]}{step}: {counted(len(used), 'clip')}.",
        *((f"{cut} left at their ends is left out (--frames sets another length).",) if longest > 1 else ()),
    )


def judge(clips: ClipFiles, problems: dict[str, str], options: DataConfig, *, headers: bool = False) -> None:
    """Refuse clips that cannot be used unless they are to be skipped.

    Raises:
        InputError: there are some, or no other is left.
    """
    files = clips.files
    require_usable(problems, len(files.names), unit="clip", place=files.root, corrupt=options.corrupt, headers=headers)


def _tried(work: Callable[[str], Result]) -> Callable[[str], Result | Exception]:
    """Return what went wrong with a clip instead of raising it; what is wrong with the installation is raised."""

    def tried(name: str) -> Result | Exception:
        try:
            return work(name)
        except InputError:
            raise
        except Exception as error:  # decoders raise almost anything on damaged bytes
            return error

    return tried
