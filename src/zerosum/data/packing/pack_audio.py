"""From sound files to packed windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.packing.decode import reason
from zerosum.data.packing.decode_audio import decode, is_silent, length_at, quietly, resampled, starts, windows
from zerosum.data.packing.making import new_pack
from zerosum.data.packing.problems import require_usable, told
from zerosum.data.packing.scan import Result, attempt
from zerosum.data.sources.audio_files import left_out
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.labels import labelling
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, cores, on_all_cores
from zerosum.text import counted, listed

RATE, LENGTH, SHORT = 16_000, 16_384, 4_096
"""Samples a second and samples of a window by default, and of a window of short sounds."""
NEARLY_ALL = 0.95
_LOUDER = {
    "pad": "leave out --fit pad, which takes the first window of each alone, or give a larger --length",
    "cover": "give a smaller --length, or --fit tiles",
    "tiles": "give a smaller --length",
}


@dataclass(frozen=True, kw_only=True)
class SoundHeader:
    """What a sound file is."""

    rate: int
    channels: int
    count: int
    """Samples of a channel."""
    clipped: bool
    silent: bool


@dataclass(frozen=True, kw_only=True)
class AudioScan:
    """What the files of a data set are, before anything is done to them."""

    facts: dict[str, SoundHeader]
    """Of every file that can be used, by name; silent ones too."""
    problems: dict[str, str]
    """Why a file cannot be used, by name."""

    @property
    def loud(self) -> dict[str, SoundHeader]:
        """Files that are not silent."""
        return {name: fact for name, fact in self.facts.items() if not fact.silent}


@dataclass(frozen=True, kw_only=True)
class AudioFormat:
    """What every sound becomes."""

    rate: int
    length: int


def survey(files: ImageFiles, progress: ProgressCallback | None = None) -> AudioScan:
    """Decode every file once, to know what it is; progress is told "look"."""
    facts: dict[str, SoundHeader] = {}
    problems: dict[str, str] = {}
    for name, found in _each(files, _header, "look", progress):
        if isinstance(found, Exception):
            problems[name] = reason(found)
        else:
            facts[name] = found
    return AudioScan(facts=facts, problems=problems)


def format_for(scan: AudioScan, options: DataConfig) -> AudioFormat:
    """Choose the rate and the length that were not asked for.

    The rate is 16,000, or what most files have where that is less; the length 16,384, or 4,096 where 95 % are no
    longer.
    """
    facts = list((scan.loud or scan.facts).values())
    common = Counter(fact.rate for fact in facts).most_common(1)[0][0] if facts else RATE
    rate = options.rate or min(RATE, common)
    lengths = [length_at(fact.count, fact.rate, rate) for fact in facts]
    short = bool(lengths) and float(np.quantile(lengths, NEARLY_ALL)) <= SHORT
    return AudioFormat(rate=rate, length=options.length or (SHORT if short else LENGTH))


def pack_audio(
    cache: Path, key: str, files: ImageFiles, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Decode every sound into a pack of the cache: (M, 1, L) uint16, 0 for -1 and 65,535 for 1.

    Raises:
        InputError: sounds cannot be used and are not to be skipped, or none is left, or labels asked for are missing.
        StorageError: the cache cannot be written to.
    """
    labels = labelling(files, options)
    scan = survey(files, progress)
    problems = scan.problems
    require_usable(problems, len(files.names), unit="sound", place=files.root, corrupt=options.corrupt)
    if not scan.loud:
        why = told(problems) if problems else f"all are silent, below -60 dB ({listed(list(scan.facts))})"
        raise InputError(f"No sound in {files.root} can be used: {why}.")
    made = format_for(scan, options)

    def render(file: BinaryIO) -> np.ndarray:
        sound = decode(file)
        return windows(resampled(sound.wave, sound.rate, made.rate), made.length, options.fit)

    with new_pack(cache, key, (1, made.length), bits=16, files=tuple(scan.loud)) as packing:
        for name, rows in _each(files, render, "pack", progress, packing.left):
            if isinstance(rows, Exception):
                raise InputError(f"{name} in {files.root} {reason(rows)}: it changed while it was read; try again.")
            packing.append(rows)
            packing.end_file(name)
        if not packing.count:
            raise InputError(
                f"No sound in {files.root} can be used: every window is silent, below -60 dB; {_LOUDER[options.fit]}."
            )
        spec = Spec(
            shape=(1, made.length),
            kind="waveforms",
            classes=labels.classes,
            attributes=labels.attributes,
            rate=made.rate,
        )
        skipped = (f"Skipped as corrupt: {counted(len(problems), 'sound')} ({told(problems)}).",) if problems else ()
        heard = (*notes_on(scan, made, options, packing.count), *_unheard(packing.rows))
        said = (*heard, labels.sentence, *left_out(files), *skipped)
        packing.finish(labels=labels.numbers(packing.names()), spec=spec, notes=said, source=str(files.root))


def notes_on(scan: AudioScan, made: AudioFormat, options: DataConfig, count: int | None = None) -> tuple[str, ...]:
    """Say what becomes of sounds, one sentence each; of as many windows as there are, where they were counted."""
    facts = scan.loud
    seconds = made.length / made.rate
    many = "Sounds" if count is None else counted(count, "sound")
    notes = [f"{many} of {made.length:,} samples at {made.rate:,} Hz ({seconds:.3g} s), in [-1, 1]."]
    rates = Counter(fact.rate for fact in facts.values() if fact.rate != made.rate)
    if rates:
        given = listed([f"{number:,} from {rate:,} Hz" for rate, number in rates.most_common()])
        notes.append(f"Resampled to {made.rate:,} Hz: {given} (--rate sets another).")
    stereo = sum(fact.channels > 1 for fact in facts.values())
    if stereo:
        notes.append(f"Mixed to one channel: {counted(stereo, 'file')} of two or more.")
    lengths = [length_at(fact.count, fact.rate, made.rate) for fact in facts.values()]
    short, long = (sum(map(test, lengths)) for test in (made.length.__gt__, made.length.__lt__))
    if short:
        notes.append(f"Padded with silence at the end: {counted(short, 'file')} shorter than that.")
    if long:
        notes.append(f"Longer than that are {counted(long, 'file')}: {_cut(lengths, made.length, options)}.")
    clipped = sum(fact.clipped for fact in facts.values())
    if clipped:
        notes.append(f"Clipped to [-1, 1]: {counted(clipped, 'file')} with values beyond.")
    silent = [name for name, fact in scan.facts.items() if fact.silent]
    if silent:
        notes.append(f"Left out because silent, below -60 dB: {counted(len(silent), 'file')} ({listed(silent)}).")
    return tuple(notes)


def _unheard(rows: Mapping[str, int]) -> tuple[str, ...]:
    """Say which files gave no window, where there are some, by the windows of each."""
    silent = [name for name, count in rows.items() if not count]
    if not silent:
        return ()
    return (f"Left out because every window of theirs is silent: {counted(len(silent), 'file')} ({listed(silent)}).",)


def _cut(lengths: list[int], length: int, options: DataConfig) -> str:
    if options.fit == "pad":
        return "the first window of each is taken"
    many = sum(len(starts(count, length, options.fit)) for count in lengths if count > length)
    way = "one after another" if options.fit == "cover" else "that overlap by half"
    rest = "what is left over is dropped and " if options.fit == "cover" else ""
    return f"they are cut into {many:,} windows {way}; {rest}silent ones are left out (--fit pad takes the first alone)"


def _header(file: BinaryIO) -> SoundHeader:
    sound = decode(file)
    return SoundHeader(
        rate=sound.rate,
        channels=sound.channels,
        count=len(sound.wave),
        clipped=sound.clipped,
        silent=is_silent(sound.wave),
    )


def _each(
    files: ImageFiles,
    work: Callable[[BinaryIO], Result],
    stage: str,
    progress: ProgressCallback | None,
    names: tuple[str, ...] | None = None,
) -> Iterator[tuple[str, Exception | Result]]:
    """Yield what `work` makes of each file, or what went wrong; songs are large, so few are held at once."""
    chosen = files.names if names is None else names
    with quietly():
        results = on_all_cores(attempt(files, work), chosen, window=2 * cores())
        for done, (name, result) in enumerate(zip(chosen, results, strict=True), start=1):
            yield name, result
            if progress is not None and (done % 100 == 0 or done == len(chosen)):
                progress(stage, done, len(chosen))
