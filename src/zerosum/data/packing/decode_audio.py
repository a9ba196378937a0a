"""Sound files as waves: one channel, one rate, windows of one length."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import gcd
from typing import BinaryIO, Literal

import numpy as np

from zerosum.data.packing.open_image import Unusable

SILENT = 1e-3
"""Peak below which a wave counts as silent: -60 dB."""
MAGIC = (b"fLaC", b"OggS", b"FORM", b".snd", b"caff", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
"""First bytes of the forms that soundfile reads."""
STREAMED = 0x7FFF_F000
"""Bytes from which on the size in a WAV's header is that of a stream, unknown when it was written."""
LOUDEST = 16.0
"""Peak above which numbers are not meant to lie in [-1, 1]: 24 dB."""
MISSING = "needs the extra audio: type `pip install zerosum[audio]`, or convert it to WAV"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sound:
    """A sound file, decoded."""

    wave: np.ndarray
    """(L,) float32 in [-1, 1], the mean of its channels."""

    rate: int
    channels: int

    clipped: bool
    """Whether values beyond [-1, 1] were clipped."""


@contextmanager
def quietly() -> Iterator[None]:
    """Keep scipy's remarks on chunks that it does not know to itself, for as long as files are read on threads."""
    from scipy.io import wavfile  # 50 MB, which every command would hold

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)
        yield


def decode(file: BinaryIO) -> Sound:
    """Decode a sound file: WAV by scipy, all else, and WAV that scipy does not read, by the extra soundfile.

    Raises:
        Unusable: it is empty, cut short, no sound, holds values that are not finite or not in [-1, 1] at all, or the
            extra is missing.
        Exception: whatever scipy raises on damaged bytes.
    """
    start = file.read(12)
    file.seek(0)
    if not start:
        raise Unusable("is empty")
    if start[:4] in (b"RIFF", b"RIFX", b"RF64") and start[8:12] == b"WAVE":
        rate, samples = _read_wav(file)
    elif start.startswith(MAGIC):
        rate, samples = _by_soundfile(file)
    else:
        raise Unusable("is no sound that can be read")
    if not len(samples):
        raise Unusable("holds no samples")
    if not np.isfinite(samples).all():
        raise Unusable("holds values that are not finite numbers")
    if not 100 <= rate <= 1_000_000:
        raise Unusable(f"claims {rate:,} samples a second")
    if (peak := float(np.abs(samples).max())) > LOUDEST:
        raise Unusable(
            f"holds values up to {peak:,.6g}, and those of a file of floats lie in [-1, 1]: divide by 32,768"
        )
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    wave = samples if samples.ndim == 1 else samples.mean(1)
    clipped = bool(np.abs(wave).max() > 1)
    return Sound(wave=np.clip(wave, -1, 1).astype(np.float32), rate=rate, channels=channels, clipped=clipped)


def is_silent(wave: np.ndarray) -> bool:
    """Whether a wave never rises above -60 dB.

    >>> is_silent(np.zeros(8)), is_silent(np.array([0.0, 0.5]))
    (True, False)
    """
    return float(np.abs(wave).max(initial=0)) < SILENT


def resampled(wave: np.ndarray, given: int, wanted: int) -> np.ndarray:
    """Bring (L,) from one rate to another, by a polyphase filter that leaves nothing above half the lower rate.

    >>> len(resampled(np.zeros(44_100, np.float32), 44_100, 16_000))
    16000
    """
    if given == wanted:
        return wave
    from scipy.signal import resample_poly

    common = gcd(given, wanted)
    return np.clip(resample_poly(wave, wanted // common, given // common), -1, 1).astype(np.float32)


def length_at(count: int, given: int, wanted: int) -> int:
    """Return how many samples a wave of another rate has after `resampled`.

    >>> length_at(44_100, 44_100, 16_000)
    16000
    """
    common = gcd(given, wanted)
    return -(-count * (wanted // common) // (given // common))


def starts(count: int, length: int, fit: Literal["cover", "pad", "tiles"]) -> list[int]:
    """Return where windows begin in a wave of `count` samples; the only one of a short wave is padded.

    >>> starts(10, 4, "cover"), starts(10, 4, "tiles"), starts(10, 4, "pad"), starts(3, 4, "cover")
    ([0, 4], [0, 2, 4, 6], [0], [0])
    """
    if fit == "pad" or count <= length:
        return [0]
    step = length if fit == "cover" else max(length // 2, 1)
    return list(range(0, count - length + 1, step))


def windows(wave: np.ndarray, length: int, fit: Literal["cover", "pad", "tiles"]) -> np.ndarray:
    """Cut (L,) into windows that are not silent: (n, 1, length) uint16, 0 for -1 and 65,535 for 1."""
    cut = [wave[start : start + length] for start in starts(len(wave), length, fit)]
    loud = [np.pad(part, (0, length - len(part))) for part in cut if not is_silent(part)]
    if not loud:
        return np.empty((0, 1, length), np.uint16)
    return to_uint16(np.stack(loud)[:, None])


def to_uint16(waves: np.ndarray) -> np.ndarray:
    """Bring waves in [-1, 1] to 16 bits.

    >>> to_uint16(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 32768, 65535]
    """
    return np.rint((np.clip(waves.astype(np.float64), -1, 1) + 1) * 32767.5).astype(np.uint16)


def _scaled(samples: np.ndarray) -> np.ndarray:
    """Bring PCM to [-1, 1]: unsigned 8 bits, signed 16 and 32 (24 bits come shifted); floats as they are."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(-float(np.iinfo(samples.dtype).min))
    return samples


def _read_wav(file: BinaryIO) -> tuple[int, np.ndarray]:
    from scipy.io import wavfile

    whole = _whole(file)
    try:
        rate, samples = wavfile.read(whole)
    except ValueError as error:
        if "Unknown wave file format" not in str(error):  # compressed
            raise
        whole.seek(0)
        return _by_soundfile(whole)
    except UnboundLocalError as error:  # scipy's own, of a header without a chunk
        raise Unusable("cannot be decoded (it has no header of its form)") from error
    return rate, _scaled(samples)


def _whole(file: BinaryIO) -> BinaryIO:
    """Return a WAV, or one with lengths in its header where there are none, as of a recording that was never closed.

    Raises:
        Unusable: its data end before their chunk does.
    """
    size, frame = file.seek(0, io.SEEK_END), 1
    file.seek(4)
    claimed = 8 + int.from_bytes(file.read(4), "little")
    file.seek(12)
    while len(head := file.read(8)) == 8:
        start, length = file.tell(), int.from_bytes(head[4:], "little")
        if head[:4] == b"fmt ":
            frame = int.from_bytes(file.read(16)[12:14], "little") or 1
        if head[:4] == b"data":
            if size < start + length and length < STREAMED:
                raise Unusable("is cut short")
            unclosed = length == 0 and claimed < size - 1
            if unclosed or (length >= STREAMED and size < start + length):
                file.seek(0)
                return _closed(file.read(), start, (size - start) // frame * frame)
            break
        file.seek(start + length + length % 2)
    file.seek(0)
    return file


def _closed(content: bytes, start: int, length: int) -> BinaryIO:
    """Write the lengths of a WAV into its header, whose data begin at `start` and last `length` bytes."""
    whole = bytearray(content[: start + length])
    if whole[:4] == b"RIFF":
        whole[4:8], whole[start - 4 : start] = (part.to_bytes(4, "little") for part in (len(whole) - 8, length))
    return io.BytesIO(bytes(whole))


def reads_all_forms() -> bool:
    """Whether the extra is there by which forms other than plain WAV are read."""
    return importlib.util.find_spec("soundfile") is not None


def _by_soundfile(file: BinaryIO) -> tuple[int, np.ndarray]:
    try:
        import soundfile
    except ImportError:
        raise Unusable(MISSING) from None
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Unusable(f"cannot be decoded ({error.error_string})") from error
    return int(rate), samples
