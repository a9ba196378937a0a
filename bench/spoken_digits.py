"""Spoken digits from a speech synthesiser: folders of WAV files by class, for WaveGAN.

    apt-get install espeak-ng
    python -m bench.spoken_digits FOLDER

Ten words by 200 speakers, 16 kHz, at most one second: 160 speakers in train, 40 in test. A speaker is a voice, a
variant, a speed and a pitch of eSpeak NG (GPL-3.0; its output is free of that licence). The same files every time, for
one version of eSpeak NG.
"""

from __future__ import annotations

import argparse
import io
import itertools
import shutil
import subprocess
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from zerosum.errors import InputError
from zerosum.runtime.thread_pool import on_all_cores

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = ("en-us", "en-gb-x-gbclan", "en-gb-scotland", "en-gb-x-rp", "en-029")
VARIANTS = ("m1", "m3", "m5", "m7", "f1", "f2", "f3", "f4")
MANNERS = ((100, 35), (120, 50), (130, 65), (145, 45), (160, 55))
"""Speeds in words a minute and pitches from 0 to 99."""

RATE, LONGEST, SILENT = 16_000, 16_000, 0.01


def speak(word: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """Return one word as (L,) int16 at 16 kHz, without silence around it, its peak at 0.9."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    header, data = spoken[:44], spoken[44:]  # a stream's header does not know its length
    header = header[:4] + (36 + len(data)).to_bytes(4, "little") + header[8:40] + len(data).to_bytes(4, "little")
    rate, wave = wavfile.read(io.BytesIO(header + data))
    wave = resample_poly(wave / 32768, RATE // 50, rate // 50)
    loud = np.flatnonzero(np.abs(wave) > SILENT * np.abs(wave).max())
    wave = wave[max(loud[0] - 80, 0) : loud[-1] + 400][:LONGEST]
    return np.round(wave / np.abs(wave).max() * 0.9 * 32767).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if shutil.which("espeak-ng") is None:
        raise InputError("eSpeak NG is not installed: apt-get install espeak-ng.")
    speakers = list(itertools.product(VOICES, VARIANTS, MANNERS))
    tested = set(np.random.default_rng(0).permutation(len(speakers))[: len(speakers) // 5].tolist())
    tasks = list(itertools.product(enumerate(speakers), enumerate(WORDS)))

    def write(task: tuple[tuple[int, tuple[str, str, tuple[int, int]]], tuple[int, str]]) -> None:
        (number, (voice, variant, (speed, pitch))), (digit, word) = task
        place = folder / ("test" if number in tested else "train") / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        wave = speak(word, f"{voice}+{variant}", speed, pitch)
        wavfile.write(place / f"{voice}-{variant}-{speed}-{pitch}.wav", RATE, wave)

    for _ in on_all_cores(write, tasks, window=64):
        pass
    print(f"{len(tasks):,} files in {folder}")


if __name__ == "__main__":
    main()
