"""Extractors by the names that people type."""

from __future__ import annotations

import difflib
from pathlib import Path

import torch

from zerosum import kinds
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

CPU = torch.device("cpu")
NAMES = ("inception", "inception-768", "classifier", "pixels", "random")


def names() -> tuple[str, ...]:
    """Return what `find` knows, as it is typed."""
    return (*NAMES, "inception:PATH", "inception-768:PATH", "hf:NAME")


def find(
    asked: str,
    *,
    reference: SampleDataset,
    cache: Path,
    held_out: SampleDataset | None = None,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Extractor:
    """Return an extractor by its name.

    Args:
        asked: one of `names()`.
        reference: the real images: what `classifier` is trained on, and whose shape `pixels` takes.
        cache: folder for downloaded and trained weights.
        held_out: labelled images, of the same classes, on which `classifier` is tested; without them it is tested on a
            tenth of the reference that it does not see.
        progress: told of a download ("download") and of training ("classifier").
        device: where to compute.

    Raises:
        InputError: There is no such extractor, it cannot see these data, or its weights are nowhere.
        StorageError: The cache cannot be written to.
    """
    name, _, given = asked.partition(":")
    if kinds.find(reference.spec.kind).raw_features:
        raise InputError(f"{reference.source} is made of points, and --features {asked} are of images: give images.")
    if name in ("inception", "inception-768"):
        path = expanded(given) if given else inception_weights.locate(name, cache=cache, progress=progress)
        return _inception(name, path, device)
    if name == "hf" and given:
        return HuggingFace(given, device=device)
    if asked == "classifier":
        return trained_on(reference, held_out=held_out, cache=cache, progress=progress, device=device)
    if asked == "pixels":
        return Pixels(reference.spec.shape)
    if asked == "random":
        return Random(device)
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {close[0]}?" if close else f"give one of {', '.join(names())}."
    raise InputError(f"There are no features {asked}: {hint}")


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features for data nobody chose them for.

    Args:
        reference: the real images.
        cache: folder where downloaded weights may lie; nothing is downloaded.

    Returns:
        A name for `find`, and one sentence that says why.
    """
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
