"""Waveforms: sounds of one channel, such as words, drums or notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import Batch, to_float, to_uint16
from zerosum.data.dataset import SampleDataset, gather, random_labels
from zerosum.data.jitter import Draw
from zerosum.data.options import LENGTHS, OF_SOUNDS, RATES, DataConfig
from zerosum.data.packing import decode_audio
from zerosum.data.packing.cache import MADE_AGAIN, digest, discard, key_of, reopen
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.pack_audio import pack_audio, survey
from zerosum.data.sources import audio_files, tones
from zerosum.data.sources.label_table import label_key
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.base import Kind
from zerosum.media import image_arrays, image_grid, sounds
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

DRAWN = 24
"""Samples in a preview."""

PLAYED = 8
"""Samples that are played one after another beside a preview."""


@dataclass(frozen=True, kw_only=True)
class Waveforms(Batch):
    """Waves, and their labels where the data have them."""

    pixels: ClassVar[tuple[str, ...]] = ("wave",)

    wave: Tensor
    """(N, 1, L): float in [-1, 1] once on the device, uint16 on the way there."""

    label: Tensor | None = None
    """(N,), int64 in [0, K); (N, A), int64 of 0 and 1, where the data have attributes; or None."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, 1, L)."""
        return self.wave


@dataclass(frozen=True, kw_only=True, eq=False)
class WaveformDataset(SampleDataset):
    """(M, 1, L) uint16 waves, 0 for -1 and 65,535 for 1."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Waveforms:
        """Gather waves at (N,) rows: (N, 1, L) uint16."""
        (chosen,) = rows
        return Waveforms(wave=torch.from_numpy(gather(self.samples, chosen)), label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the waves at (N,) rows, without labels: (N, 1, L) float32 in [-1, 1]."""
        return to_float(torch.from_numpy(gather(self.samples, rows)))


def open_waveforms(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> WaveformDataset:
    """Open a folder, .zip or file of sounds, or the tones that are made by rule.

    Args:
        source: where they lie: WAV, or with the extra `audio` FLAC, Ogg, MP3 and AIFF; or "tones".
        options: rate, length, how long sounds are cut, labels, split, cache, and what to do about corrupt files.
        progress: told of the stages "look" and "pack".

    Raises:
        InputError: there are no such data, or they cannot be used.
        StorageError: the cache cannot be written to.
    """
    options = options.checked()
    if audio_files.is_made(source):
        return _tones(options)
    files = audio_files.find_audio(source, options)
    cache = options.cache_folder()
    names = ("rate", "length", "fit", "labels", "split", "corrupt")
    asked = {name: value for name, value in asdict(options).items() if name in names}
    table = label_key(files, options)
    lacking = () if options.corrupt == "refuse" or decode_audio.reads_all_forms() else ("without the extra audio",)
    key = key_of("waveforms", content_of(files, cache, progress), files.prefix, asked, table, *lacking)
    packed, damaged = reopen(cache, key), False
    if packed is None:
        damaged = discard(cache, key)
        pack_audio(cache, key, files, options, progress)
        packed = reopen(cache, key)
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return WaveformDataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=packed.spec,
        source=str(absolute(source)),
        fingerprint=packed.fingerprint,
        notes=tuple(map(shown, (*packed.notes, *((MADE_AGAIN,) if damaged else ())))),
    )


def sized_by(source: str | Path, options: DataConfig) -> DataConfig:
    """Return options at whose rate and length sounds are compared with those of a source, where it has one of each.

    Raises:
        InputError: there are no sounds at the source.
    """
    if audio_files.is_made(source):
        return options
    facts = survey(audio_files.find_audio(source, options)).facts.values()
    forms = {(fact.rate, fact.count) for fact in facts}
    (rate, length), *others = forms or {(0, 0)}
    known = not others and RATES[0] <= rate <= RATES[1] and LENGTHS[0] <= length <= LENGTHS[1]
    return replace(options, rate=rate, length=length) if known else options


def _tones(options: DataConfig) -> WaveformDataset:
    rate, length = options.rate or tones.RATE, options.length or tones.LENGTH
    if options.labels not in (None, "folders", "none"):
        raise InputError(f"tones has labels of its own: leave out --labels {options.labels}, or give --labels none.")
    waves, labels = tones.tones(options.split, rate=rate, length=length)
    samples = decode_audio.to_uint16(waves)[:, None]
    kept = None if options.labels == "none" else labels
    spec = Spec(shape=(1, length), kind="waveforms", classes=() if kept is None else tones.CLASSES, rate=rate)
    note = f"{len(samples):,} tones of {length:,} samples at {rate:,} Hz; labels are their pitch classes."
    return WaveformDataset(
        samples=samples,
        labels=kept,
        spec=spec,
        source="tones",
        fingerprint=digest(samples, kept, spec),
        notes=(note,),
    )


def draw(samples: Tensor, real: Tensor | None = None) -> Image.Image:
    """Draw the first 24 of (N, 1, L) waves as curves and log-mel spectrograms, by a scale of 16 kHz."""
    return sounds.panels(samples[:DRAWN], tones.RATE)


def save(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, 1, L) waves: a .wav each into a folder, all one after another into a .wav, a picture, or a .npy.

    Raises:
        InputError: the name ends in something else, or a value is not finite.
        StorageError: the disk refuses.
    """
    ending, rate = "" if out.is_dir() else out.suffix.lower(), rate_of(spec)
    if ending == ".npy":
        return [image_arrays.write_array(samples.detach().float().cpu().numpy(), out)]
    if ending in image_arrays.ENDINGS:
        raise InputError(f"Sounds are not written as {out.name}: give a name that ends in .wav, .npy or .png.")
    if ending == ".wav":
        sounds.write_wav(sounds.one_after_another(samples, rate), rate, out, metadata)
        return [out]
    if image_grid.is_picture(out):
        image_grid.write_png(sounds.panels(samples, rate), out, metadata)
        return [out]
    paths = [out / f"sample-{position:04d}.wav" for position in range(len(samples))]
    for path, wave in zip(paths, samples.detach().float().cpu().mean(1).numpy(), strict=True):
        sounds.write_wav(wave, rate, path, metadata)
    return paths


def play(samples: Tensor, out: Path, spec: Spec) -> list[Path]:
    """Write the first 8 of (N, 1, L) waves, one after another, as a WAV beside a picture's name."""
    target = out.with_suffix(".wav")
    sounds.write_wav(sounds.one_after_another(samples[:PLAYED], rate_of(spec)), rate_of(spec), target)
    return [target]


def finished(samples: Tensor, spec: Spec) -> Tensor:
    """Bring (N, 1, L) generated waves to 16 bits and back, as real ones are: float32 in [-1, 1] on the CPU."""
    return to_float(to_uint16(samples))


def rate_of(spec: Spec) -> int:
    """Return the samples a second of a spec; 16,000 where nobody said."""
    return spec.rate or tones.RATE


def example(spec: Spec, count: int) -> WaveformDataset:
    """Make random waves of a spec, with labels where it has classes."""
    samples = np.random.default_rng(0).integers(0, 65_536, (count, *spec.shape), dtype=np.uint16)
    return WaveformDataset(
        samples=samples,
        labels=random_labels(spec, count),
        spec=replace(spec, rate=rate_of(spec)),
        source="random",
        fingerprint="random",
        notes=(),
    )


KIND = Kind(
    name="waveforms",
    unit="sounds",
    batch=Waveforms,
    recipe=lambda spec, options: "wavegan",
    open=open_waveforms,
    accepts=audio_files.is_audio,
    unused=("target", "degrade", "direction", "size", "channels", "range", "depth"),
    own=OF_SOUNDS,
    draw=draw,
    endings=(".wav",),
    save=save,
    example=example,
    pictures=False,
    features="waveforms",
    finished=finished,
    like=lambda spec, options: replace(options, rate=spec.rate, length=spec.shape[-1]),
    sized_by=sized_by,
    play=play,
    jitters=False,
)
