"""Extractors of images by the names that people type."""

from __future__ import annotations

from pathlib import Path

import torch

from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.features import inception_weights
from zerosum.features.classifier_extractor import FEWEST, trained_on
from zerosum.features.extractor import Extractor
from zerosum.features.huggingface import HuggingFace
from zerosum.features.inception import Inception
from zerosum.features.untrained import Pixels, Random
from zerosum.runtime.paths import expanded
from zerosum.runtime.thread_pool import ProgressCallback

NAMES = (
    "inception",
    "inception-768",
    "classifier",
    "pixels",
    "random",
    "inception:PATH",
    "inception-768:PATH",
    "hf:NAME",
)


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
        InputError: it does not take these data, or its weights are nowhere.
        StorageError: The cache cannot be written to.
    """
    name, _, given = asked.partition(":")
    if name in ("inception", "inception-768"):
        path = expanded(given) if given else inception_weights.locate(name, cache=cache, progress=progress)
        return _inception(name, path, device)
    if name == "hf":
        return HuggingFace(given, device=device)
    if asked == "classifier":
        return trained_on(reference, held_out=held_out, cache=cache, progress=progress, device=device)
    if asked == "pixels":
        return Pixels(reference.spec.shape)
    return Random(device)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features of images, as `features.find.default` does."""
    if len(reference.spec.classes) > 1 and reference.labels is not None and len(reference) >= FEWEST:
        return "classifier", "Features are of a classifier of these data, because they are labelled."
    for name in ("inception", "inception-768"):
        if inception_weights.present(name, cache=cache) is not None:
            return name, f"Features are {name}: the data have no labels, and its weights are here."
    return "random", (
        "Features are of random convolutions, because the data have no labels and there are no weights of the "
        "Inception network; --features inception downloads them."
    )


def _inception(name: str, path: Path, device: torch.device) -> Inception:
    try:
        weights = inception_weights.read(path)
        if name == "inception" and not inception_weights.is_published(path):
            name = "inception-own"  # a Frechet distance on weights from elsewhere is not called FID
        return Inception(name, weights, device=device)
    except LookupError:
        raise InputError(
            f"{path} holds a part of the Inception network, too little for --features {name}: "
            f"choose --features inception-768:{path}, or give another file."
        ) from None
    except RuntimeError as error:
        raise InputError(f"{path} holds another network than the Inception-v3 of 2015-12-05 ({error}).") from error
