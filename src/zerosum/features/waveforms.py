"""Extractors of sounds: a classifier of log-mel spectrograms, and statistics of their bands.

Spectrograms become gray images, so that the classifier of images, and its training, serve sounds too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import Batch, to_float
from zerosum.data.dataset import SampleDataset
from zerosum.data.jitter import Draw
from zerosum.errors import InputError
from zerosum.features.classifier_extractor import FEWEST, Trained, trained_on
from zerosum.features.extractor import Extractor, Features, identity_of
from zerosum.kinds.waveforms import rate_of
from zerosum.layers.mel import BANDS, FLOOR, log_mel, to_image
from zerosum.runtime.thread_pool import ProgressCallback

NAMES = ("classifier", "mel")
VERSION = 1
"""Goes up whenever spectrograms change, so that no older classifier is taken from the cache."""
CHUNK = 256


def find(
    asked: str,
    *,
    reference: SampleDataset,
    cache: Path,
    held_out: SampleDataset | None = None,
    progress: ProgressCallback | None = None,
    device: torch.device,
) -> Extractor:
    """Return an extractor by its name, as `features.find.find` does.

    Raises:
        InputError: the classifier has no labels to learn.
        StorageError: the cache cannot be written to.
    """
    rate = rate_of(reference.spec)
    if asked == "mel":
        return MelStatistics(rate)
    if reference.labels is None or len(reference.spec.classes) < 2:
        raise InputError(
            f"{reference.source} has no labels of two classes or more to train a classifier on: choose --features mel."
        )
    sides = [None if side is None else _spectrograms(side) for side in (reference, held_out)]
    assert sides[0] is not None
    trained = trained_on(sides[0], held_out=sides[1], cache=cache, progress=progress, device=device)
    return SoundClassifier(trained, rate, reference.fingerprint)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features of sounds, as `features.find.default` does."""
    if len(reference.spec.classes) > 1 and reference.labels is not None and len(reference) >= FEWEST:
        return "classifier", "Features are of a classifier of these sounds, because they are labelled."
    return "mel", "Features are statistics of log-mel spectrograms, because the data have no labels."


def spectrograms(waves: Tensor, rate: int) -> Tensor:
    """Compute log-mel spectrograms of waves (N, C, L) in [-1, 1] as gray images: (N, 1, 64, T) uint8."""
    return torch.cat([to_image(log_mel(part.mean(1), rate)) for part in waves.split(CHUNK)])


class MelStatistics:
    """Mean and standard deviation over time of each band of the log-mel spectrogram, in units of 10 dB.

    Args:
        rate: samples a second.
    """

    name = "mel"
    width = 2 * BANDS

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.identity = identity_of({}, self.name, VERSION, rate)
        self.protocol = (
            f"Mean and standard deviation over time of {BANDS} bands of the log-mel spectrogram at {rate:,} Hz, from "
            f"{FLOOR:g} dB, in units of 10 dB: {self.width} features."
        )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Compute features of waves (N, C, L) in [-1, 1]: (N, 128)."""
        parts = [log_mel(part.mean(1), self.rate) / 10 for part in images.split(CHUNK)]
        return Features(features=torch.cat([torch.cat([x.mean(2), x.std(2, correction=0)], 1) for x in parts]).cpu())


class SoundClassifier(Trained):
    """Features and logits of a classifier of log-mel spectrograms.

    Args:
        trained: the classifier of their gray images.
        rate: samples a second of the sounds.
        learned: fingerprint of the sounds that it learned.
    """

    def __init__(self, trained: Trained, rate: int, learned: str) -> None:
        protocol = f"On log-mel spectrograms of {BANDS} bands as gray images: {trained.protocol}"
        super().__init__(trained.network, protocol, trained.test_accuracy, learned)
        self.rate = rate
        self.identity = identity_of({}, trained.identity, VERSION, rate)

    def __call__(self, images: Tensor) -> Features:
        """Compute features of waves (N, C, L) in [-1, 1]: (N, 128), and logits (N, K)."""
        return super().__call__(spectrograms(images, self.rate))

    def stages(self, images: Tensor) -> list[Tensor]:
        """Compute the maps (N, C_s, H_s, W_s) of the classifier's stages of waves (N, C, L)."""
        return super().stages(to_float(spectrograms(images, self.rate)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _SpectrogramDataset(SampleDataset):
    """The spectrograms of a data set of sounds, computed as they are asked for."""

    of: SampleDataset

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Batch:
        """Gather the sounds themselves."""
        return self.of.batch(*rows, draw=draw)

    def real(self, rows: np.ndarray) -> Tensor:
        """Compute the spectrograms of the sounds at (N,) rows: (N, 1, 64, T) uint8."""
        rate = rate_of(self.spec)
        parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
        return torch.cat([spectrograms(self.of.real(part), rate) for part in parts])


def _spectrograms(sounds: SampleDataset) -> _SpectrogramDataset:
    shape = tuple(spectrograms(sounds.real(np.arange(1)), rate_of(sounds.spec)).shape[1:])
    return _SpectrogramDataset(
        samples=sounds.samples,
        labels=sounds.labels,
        spec=replace(sounds.spec, shape=shape),
        source=sounds.source,
        fingerprint=f"{sounds.fingerprint}-mel-{VERSION}",
        notes=sounds.notes,
        of=sounds,
    )
