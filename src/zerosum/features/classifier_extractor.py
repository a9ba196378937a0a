"""The extractor `classifier`: a small network trained on the labelled data at hand, once, and kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum import text
from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.errors import InputError
from zerosum.features.classifier import BATCH, LARGEST_SIDE, WIDTH, Classifier, accuracy, fit
from zerosum.features.extractor import Features, identity_of
from zerosum.features.trained_network import read_or_train
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

CPU = torch.device("cpu")
LEARNED = slice(None, None, 2)
"""The rows of a data set that are learned from: every second. The others stay fresh, for real sides and floors."""
MOST_IMAGES = 30_000
"""Images learned from at most, drawn among those."""
TESTED = 5_000
"""Images tested on at most."""
STEPS = 700
"""Steps aimed at: 3 epochs of 30,000 images."""
MOST_EPOCHS = 40
FEWEST = 40
VERSION = 2
"""Goes up whenever the network or its training changes, so that no older one is taken from the cache."""


class Trained:
    """Features of a trained classifier.

    Args:
        network: the classifier.
        protocol: one sentence on what it was trained on and how well it does.
        test_accuracy: share of held-out images that it tells right.
        learned: fingerprint of the data that it learned `LEARNED` rows of.
    """

    name = "classifier"
    width = WIDTH

    def __init__(self, network: Classifier, protocol: str, test_accuracy: float, learned: str) -> None:
        self.network, self.protocol, self.test_accuracy, self.learned = network, protocol, test_accuracy, learned
        self.identity = identity_of(network.state_dict(), self.name, VERSION)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images of the channels that it was trained on.

        Raises:
            InputError: They have another number of channels.
        """
        if images.shape[1] != self.network.channels:
            raise InputError(
                f"Images of {images.shape[1]} channels were given to a classifier of {self.network.channels}: bring "
                f"both sides to --channels {self.network.channels}."
            )
        with torch.autocast(self.network.head.weight.device.type, enabled=False):
            seen = self.network(images)
        assert seen.logits is not None
        return Features(features=seen.features.cpu(), logits=seen.logits.cpu())

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        with torch.autocast(self.network.head.weight.device.type, enabled=False):
            return self.network.hidden(self.stages(images)[-1])

    def stages(self, images: Tensor) -> list[Tensor]:
        """See (N, C, H, W) images in [-1, 1] of its channels: the maps (N, C_s, H_s, W_s) of its stages."""
        return self.network.maps(images.to(self.network.head.weight.device))


def trained_on(
    reference: SampleDataset,
    *,
    held_out: SampleDataset | None = None,
    cache: Path,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Trained:
    """Train a classifier on every second of some labelled images, or take the one that was trained on them before.

    Args:
        reference: labelled images.
        held_out: labelled images of the same classes to test it on; the other half of the reference if not given.
        cache: folder for trained weights.
        seed: of the training, and of the draw of the images.
        progress: told "classifier", and how many steps are done of how many.
        device: where to train and to see.

    Raises:
        InputError: There are no labels, one class, too few images, or other classes on the held-out side.
        StorageError: The cache cannot be written to.
    """
    _check(reference, held_out)
    tested = "the other half" if held_out is None else held_out.fingerprint
    path = cache / "classifiers" / f"{key_of(VERSION, reference.fingerprint, tested, seed)}.safetensors"
    channels, classes = reference.spec.shape[0], len(reference.spec.classes)

    def train() -> tuple[Classifier, float]:
        learnt, kept = _parts(reference, held_out, seed)
        epochs = max(1, min(MOST_EPOCHS, round(STEPS * BATCH / len(learnt[0]))))
        network = fit(*learnt, classes=classes, epochs=epochs, seed=seed, progress=progress, device=device)
        return network, accuracy(network, *kept)

    network, right = trained_once(path, train, channels=channels, classes=classes)
    others = reference if held_out is None else held_out
    count = min(TESTED, len(reference) // 2 if held_out is None else len(held_out))
    protocol = (
        f"A classifier trained on {min(MOST_IMAGES, -(-len(reference) // 2)):,} images of {reference.source} "
        f"({classes} classes, fingerprint {reference.fingerprint[:8]}, seed {seed}), {text.number(100 * right)} % "
        f"right on {counted(count, 'other image')} of {others.source}; {WIDTH} features of its last hidden layer, "
        f"input in [-1, 1] at the images' own size, sides above {LARGEST_SIDE} averaged down to it."
    )
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trained(network, protocol, right, reference.fingerprint)


def trained_once(
    path: Path, train: Callable[[], tuple[Classifier, float]], *, channels: int, classes: int
) -> tuple[Classifier, float]:
    """Read a classifier and its test accuracy from a file; where none can be read, train one and write the file.

    Args:
        path: The .safetensors file.
        train: Trains a classifier and returns it with its test accuracy.
        channels: Channels of its images.
        classes: Number of its classes.

    Returns:
        The classifier on the CPU, in evaluation mode, its weights fixed; and its test accuracy.

    Raises:
        StorageError: The disk refuses the write.
    """
    return read_or_train(path, train, lambda: Classifier(channels, classes))


def _check(reference: SampleDataset, held_out: SampleDataset | None) -> None:
    classes = reference.spec.classes
    if reference.labels is None or len(classes) < 2:
        raise InputError(
            f"{reference.source} has no labels of two classes or more to train a classifier on: choose other "
            "--features, such as inception or random."
        )
    if len(reference) < FEWEST:
        raise InputError(
            f"{reference.source} has {len(reference)} images, too few for a classifier, which learns half of them: "
            f"give {FEWEST} or more, or other --features."
        )
    if held_out is not None and (held_out.spec.classes != classes or held_out.labels is None):
        raise InputError(
            f"{held_out.source} has other classes than {reference.source}: a classifier of one cannot be tested on the "
            "other."
        )


def _parts(reference: SampleDataset, held_out: SampleDataset | None, seed: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Images and labels to learn, and to test on."""
    rows = np.arange(len(reference))
    learned = _some(rows[LEARNED], MOST_IMAGES, seed)
    if held_out is not None:
        return _pairs(reference, learned), _pairs(held_out, _some(np.arange(len(held_out)), TESTED, seed))
    return _pairs(reference, learned), _pairs(reference, _some(np.delete(rows, np.s_[LEARNED]), TESTED, seed))


def _some(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).permutation(rows)[:most])


def _pairs(dataset: SampleDataset, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    assert dataset.labels is not None
    return dataset.real(rows), torch.from_numpy(dataset.labels[rows])
