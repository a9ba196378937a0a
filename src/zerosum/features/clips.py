"""Extractors of clips: a small 3-D network trained on the labelled clips at hand, or the same with random weights.

Published Frechet video distances take an I3D network trained on Kinetics: no figure of these extractors compares with
them, and each is named after its extractor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum import text
from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.errors import InputError
from zerosum.features.classifier_extractor import LEARNED
from zerosum.features.clip_classifier import LARGEST_SIDE, WIDTH, ClipClassifier
from zerosum.features.extractor import Extractor, Features, identity_of
from zerosum.features.trained_network import read_or_train
from zerosum.player import Clock, Player
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

NAMES = ("classifier", "random")
CPU = torch.device("cpu")
FEWEST, MOST = 40, 4_000
"""Clips that a classifier learns half of: at least, and at most."""
BATCH, STEPS, MOST_EPOCHS, RATE = 32, 400, 30, 4e-3
VERSION = 1
"""Goes up whenever the network or its training changes, so that no older one is taken from the cache."""


class TrainedClips:
    """Features of a classifier trained on labelled clips.

    Args:
        network: the classifier.
        protocol: one sentence on what it was trained on and how well it does.
        test_accuracy: share of held-out clips that it classifies rightly.
        learned: fingerprint of the data that it learned `LEARNED` rows of.
    """

    name = "classifier"
    width = WIDTH

    def __init__(self, network: ClipClassifier, protocol: str, test_accuracy: float, learned: str) -> None:
        self.network, self.protocol, self.test_accuracy, self.learned = network, protocol, test_accuracy, learned
        self.identity = identity_of(network.state_dict(), "clips", VERSION)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Map (N, T, C, H, W) uint8 clips to features and logits."""
        parts = [self.network(part) for part in images.split(BATCH)]
        return Features(
            features=torch.cat([part.features.cpu() for part in parts]),
            logits=torch.cat([part.logits.cpu() for part in parts]),
        )


class RandomClips:
    """Features of the same 3-D convolutions with fixed random weights.

    Args:
        channels: of the clips.
        device: where to compute.
    """

    name = "random"
    width = 4 * WIDTH

    def __init__(self, channels: int, device: torch.device = CPU) -> None:
        with rng.fork(CPU, seed=0):
            self._network = ClipClassifier(channels, 1).eval().requires_grad_(False)
        self._network.hidden = nn.Sequential(nn.AdaptiveAvgPool3d((1, 2, 2)), nn.Flatten())
        self._network.head = nn.Linear(self.width, 1)
        self.identity = identity_of(self._network.stages.state_dict(), "random clips")
        self.protocol = (
            "Three 3-D convolutions with random weights (seed 0), averaged over time and quarters of the frame: "
            f"{self.width} features; input in [-1, 1], sides above {LARGEST_SIDE} averaged down to it."
        )
        self._network.to(device)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Map (N, T, C, H, W) uint8 clips to features."""
        return Features(features=torch.cat([self._network(part).features.cpu() for part in images.split(BATCH)]))


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
        InputError: the clips have no labels to train a classifier on, or are too few.
        StorageError: The cache cannot be written to.
    """
    if asked == "classifier":
        return trained_on(reference, held_out=held_out, cache=cache, progress=progress, device=device)
    return RandomClips(reference.spec.shape[1], device)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features of clips, as `features.find.default` does."""
    if _why_not(reference) is None:
        return "classifier", "Features are of a 3-D network trained on these clips, because they are labelled."
    return "random", "Features are of a 3-D network with random weights, because the clips have too few labels."


def trained_on(
    reference: SampleDataset,
    *,
    held_out: SampleDataset | None = None,
    cache: Path,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> TrainedClips:
    """Train a classifier on every second of some labelled clips, or take the one that was trained on them before.

    Args:
        reference: labelled clips.
        held_out: labelled clips of the same classes to test it on; the other half of the reference if not given.
        cache: folder for trained weights.
        progress: told "classifier", and how many steps are done of how many.
        device: where to train and to compute.

    Raises:
        InputError: no labels of two classes, too few clips, or other classes on the held-out side.
        StorageError: The cache cannot be written to.
    """
    if (reason := _why_not(reference)) is not None:
        raise InputError(f"{reference.source} {reason}: choose --features random.")
    if held_out is not None and (held_out.spec.classes != reference.spec.classes or held_out.labels is None):
        raise InputError(f"{held_out.source} has other classes than {reference.source}: choose --features random.")
    tested = "the other half" if held_out is None else held_out.fingerprint
    path = cache / "classifiers" / f"{key_of('clips', VERSION, reference.fingerprint, tested)}.safetensors"
    channels, classes = reference.spec.shape[1], len(reference.spec.classes)

    def train() -> tuple[ClipClassifier, float]:
        network = _fit(reference, progress, device)
        return network, _accuracy(network, *_tested(reference, held_out))

    network, right = read_or_train(path, train, lambda: ClipClassifier(channels, classes))
    protocol = (
        f"A 3-D network trained on {counted(len(_rows(reference)), 'clip')} of {reference.source} ({classes} classes, "
        f"fingerprint {reference.fingerprint[:8]}), {text.number(100 * right)} % right on other clips; {WIDTH} "
        f"features of its last hidden layer, input in [-1, 1], sides above {LARGEST_SIDE} averaged down to it."
    )
    return TrainedClips(network.to(device), protocol, right, reference.fingerprint)


def _fit(reference: SampleDataset, progress: ProgressCallback | None, device: torch.device) -> ClipClassifier:
    assert reference.labels is not None
    rows = _rows(reference)
    labels = torch.from_numpy(reference.labels[rows]).to(device)
    per_epoch = -(-len(rows) // BATCH)
    epochs = max(1, min(MOST_EPOCHS, round(STEPS / per_epoch)))
    clock = Clock(phase_rounds=epochs * per_epoch)
    with rng.fork(device, seed=0), torch.enable_grad():
        network = ClipClassifier(reference.spec.shape[1], len(reference.spec.classes)).train().to(device)
        player = Player.adam(network, lr=RATE, betas=(0.9, 0.999), schedule=_rise_and_fall)
        generator = torch.Generator().manual_seed(0)
        for _ in range(epochs):
            order = torch.randperm(len(rows), generator=generator)
            for start in range(0, len(rows), BATCH):
                chosen = torch.cat([order[start : start + BATCH], order])[:BATCH]
                logits = network(reference.real(rows[chosen.numpy()])).logits
                loss = functional.cross_entropy(logits, labels[chosen.to(device)])
                for weight, slope in zip(player.parameters, torch.autograd.grad(loss, player.parameters), strict=True):
                    weight.grad = slope
                player.step(clock)
                clock.phase_round += 1
                if progress is not None:
                    progress("classifier", clock.phase_round, clock.phase_rounds)
    return network.eval().requires_grad_(False)


def _rise_and_fall(clock: Clock) -> dict[str, float]:
    at = (clock.phase_round + 0.5) / clock.phase_rounds
    return {"lr": RATE * min(at / 0.2, (1 - at) / 0.8)}


def _why_not(reference: SampleDataset) -> str | None:
    if reference.labels is None or len(reference.spec.classes) < 2:
        return "has no labels of two classes or more to train a classifier on"
    return None if len(reference) >= FEWEST else f"has {counted(len(reference), 'clip')}, and {FEWEST} are needed"


def _rows(reference: SampleDataset) -> np.ndarray:
    return np.arange(len(reference))[LEARNED][:MOST]


def _tested(reference: SampleDataset, held_out: SampleDataset | None) -> tuple[SampleDataset, np.ndarray]:
    if held_out is not None:
        return held_out, np.arange(len(held_out))[:MOST]
    return reference, np.arange(1, len(reference), 2)[:MOST]


@torch.no_grad()
def _accuracy(network: ClipClassifier, dataset: SampleDataset, rows: np.ndarray) -> float:
    assert dataset.labels is not None
    calls = torch.cat([network(part).logits.argmax(1).cpu() for part in dataset.chunks(rows, size=BATCH)])
    return float((calls.numpy() == dataset.labels[rows]).mean())
