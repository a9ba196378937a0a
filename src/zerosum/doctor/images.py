"""A set of images as evidence: samples alone, or beside real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from zerosum import kinds
from zerosum.data.batch import Images
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.doctor.evidence import Evidence, Facts
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.kinds.images import ImageDataset
from zerosum.run.history import History
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

MOST = 2_000
"""Images of each side that are looked at, spread over all there are."""

FEWEST = 8


def evidence_of_images(
    source: str | Path,
    against: str | Path | None = None,
    *,
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> tuple[Evidence, list[str]]:
    """Open a folder, .zip or array file of images as evidence, and return what is to be said of it, too.

    There is no history: signs take what they need from the images themselves.

    Args:
        source: the samples.
        against: real images, at whose size and with whose channels the samples are read.
        options: how images are read.
        progress: told of stages.

    Raises:
        InputError: there are no such images, or too few.
        StorageError: the cache cannot be written to.
    """
    options = replace(options, labels="none")
    real = None if against is None else _opened(against, options, progress)
    if real is not None:
        size = "x".join(map(str, real.spec.shape[1:]))
        options = replace(options, size=size, channels=real.spec.shape[0], range=real.spec.range or options.range)
    given = _opened(source, options, progress)
    for place, dataset in ((source, given), (against, real)):
        if dataset is not None and len(dataset) < FEWEST:
            raise InputError(f"{place} has {counted(len(dataset), 'image')}, and {FEWEST} or more are needed.")
    samples, originals = _some(given), None if real is None else _some(real)
    facts = Facts(shape=given.spec.shape, images=len(given), notes=given.notes)
    notes = [note for note in given.notes if not note.startswith("No labels were taken")]
    if len(given) > MOST:
        notes.append(f"Looked at {MOST:,} of {counted(len(given), 'image')}.")
    return Evidence(history=History(), facts=facts, samples=samples, real=originals), notes


def _opened(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> ImageDataset:
    if not (kind := kinds.kind_of(source)).fallback:
        raise InputError(
            f"{source} is made of {kind.unit}, and of files the doctor examines images only: name the run that made "
            "them."
        )
    dataset: Dataset = open_as((Images,), source, options=options, progress=progress)
    assert isinstance(dataset, ImageDataset)
    return dataset


def _some(dataset: ImageDataset) -> np.ndarray:
    """Return up to MOST images (N, C, H, W) uint8."""
    rows = np.linspace(0, len(dataset) - 1, min(len(dataset), MOST)).round().astype(np.int64)
    return np.concatenate([chunk.numpy() for chunk in dataset.chunks(rows)])
