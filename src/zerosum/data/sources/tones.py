"""Tones of twelve pitch classes, made by rule: the data set `tones`, on which recipes for sounds can be tried."""

from __future__ import annotations

import numpy as np

from zerosum.errors import NoSuchSplit

NAMES = ("tones",)
CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
COUNTS = {"train": 1_200, "test": 600}
RATE, LENGTH = 16_000, 4_096
LOWEST = 48
"""MIDI number of the lowest tone, C3 at 131 Hz; tones fill two octaves."""
HARMONICS = 6


def tones(split: str, *, rate: int = RATE, length: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Make the tones of a split; the same ones every time, as many of each pitch class.

    Each has harmonics that fall by a factor of its own, a soft start, an exponential decay, a pitch within 10 cents of
    its note, and a peak of 0.4 to 0.9.

    Args:
        split: "train" or "test".
        rate: samples a second.
        length: samples of a tone, L.

    Returns:
        Waves, (M, L) float32 in [-1, 1], and their pitch classes, (M,) int64 in [0, 12).

    Raises:
        NoSuchSplit: there is no such split.
    """
    if split not in COUNTS:
        raise NoSuchSplit(f"tones has no split {split}: choose train or test.")
    count = COUNTS[split]
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([list(COUNTS).index(split)])))
    labels = draw.permutation(np.arange(count) % len(CLASSES))
    note = LOWEST + labels + 12 * draw.integers(2, size=count) + draw.uniform(-0.1, 0.1, count)
    pitch = 440 * 2 ** ((note - 69) / 12)
    fall, decay, peak = draw.uniform(0.2, 0.7, count), draw.uniform(3.0, 12.0, count), draw.uniform(0.4, 0.9, count)
    phases = draw.uniform(0, 2 * np.pi, (count, HARMONICS))
    seconds = (np.arange(length) / rate).astype(np.float32)
    waves = np.zeros((count, length), np.float32)
    for harmonic in range(1, HARMONICS + 1):
        frequency = harmonic * pitch
        strength = np.where(frequency < rate / 2, fall ** (harmonic - 1), 0).astype(np.float32)
        angle = (2 * np.pi * frequency).astype(np.float32)[:, None] * seconds
        waves += strength[:, None] * np.sin(angle + phases[:, harmonic - 1 : harmonic].astype(np.float32))
    waves *= np.minimum(seconds / 0.005, 1) * np.exp(-decay.astype(np.float32)[:, None] * seconds)
    waves *= (peak / np.abs(waves).max(1)).astype(np.float32)[:, None]
    return waves, labels.astype(np.int64)
