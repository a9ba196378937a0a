"""Looking sounds over before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.pack_audio import format_for, notes_on, survey
from zerosum.data.sources import audio_files, tones
from zerosum.data.sources.find import name_of
from zerosum.data.sources.labels import labelling
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted


def check_audio(source: str | Path, options: DataConfig, progress: ProgressCallback | None = None) -> CheckReport:
    """Look sounds over. Files that cannot be read are reported, never raised.

    Raises:
        InputError: there are no such data, or the options or the labels do not fit them.
    """
    if audio_files.is_made(source):
        return _of_tones(options)
    files = audio_files.find_audio(source, options)
    labels = labelling(files, options)
    scan = survey(files, progress)
    loud = scan.loud
    classes = Counter(dict.fromkeys(labels.classes, 0))
    classes.update(() if labels.of is None or labels.attributes else (labels.of[name] for name in loud))
    same: dict[str, list[str]] = {}
    for name, digest in content_of(files, options.cache_folder(), progress):
        if name in loud:
            same.setdefault(digest, []).append(name)
    duplicates = tuple(tuple(names) for names in same.values() if len(names) > 1)
    made = format_for(scan, options)
    seconds = [fact.count / fact.rate for fact in loud.values()]
    lengths = () if not seconds else (_lengths(seconds),)
    return CheckReport(
        source=name_of(source),
        kind="files",
        samples=len(loud),
        corrupt=scan.problems,
        sizes={},
        modes=_common([str(fact.channels) for fact in loud.values()]),
        bits={},
        classes=dict(classes),
        duplicates=duplicates,
        shape=(1, made.length) if loud else None,
        recommended_size=None,
        notes=(*lengths, *notes_on(scan, made, options), labels.sentence, *audio_files.left_out(files)),
        warnings=_warnings(len(loud), len(scan.problems)),
    )


def _lengths(seconds: Sequence[float]) -> str:
    low, middle, high = np.quantile(seconds, (0, 0.5, 1))
    return f"Files last from {low:.3g} to {high:.3g} s, half of them {middle:.3g} s or more."


def _warnings(count: int, problems: int) -> tuple[str, ...]:
    found = []
    if problems:
        found.append(f"{counted(problems, 'corrupt file')}: training refuses to start unless --corrupt skip is given.")
    if count < 500:
        found.append(f"{counted(count, 'sound')} are few: below 500 a critic memorises them; collect more.")
    return tuple(found)


def _common(values: Sequence[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _of_tones(options: DataConfig) -> CheckReport:
    waves, labels = tones.tones(options.split, rate=options.rate or tones.RATE, length=options.length or tones.LENGTH)
    return CheckReport(
        source="tones",
        kind="array",
        samples=len(waves),
        corrupt={},
        sizes={},
        modes={"1": len(waves)},
        bits={},
        classes=dict(zip(tones.CLASSES, np.bincount(labels, minlength=len(tones.CLASSES)).tolist(), strict=True)),
        duplicates=(),
        shape=(1, waves.shape[1]),
        recommended_size=None,
        notes=(f"Tones of {options.rate or tones.RATE:,} samples a second; labels are their pitch classes.",),
        warnings=(),
    )
