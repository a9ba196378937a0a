"""Who counts the modes of samples: the mixture's own centres in the plane, a classifier of digits on stacked ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.benchmarks.mode_collapse.protocols import RADIUS, Protocol
from zerosum.data.batch import to_uint8
from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.evaluation.probes.labelled_images import labelled
from zerosum.features.classifier import Classifier, accuracy, fit
from zerosum.features.classifier_extractor import trained_once
from zerosum.kinds import open_data
from zerosum.metrics.modes import ModeCount, mixture_modes, stacked_modes
from zerosum.runtime.thread_pool import ProgressCallback

EPOCHS = 2
CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class ModeCounter:
    """Counts modes."""

    count: Callable[[Tensor], ModeCount]
    """Of samples (N, *shape), in the range that recipes make them in."""

    real: ModeCount | None
    """The count of as many real samples that were not trained on; None in the plane, where the ceiling says it all."""

    remarks: tuple[str, ...] = ()


def judge(
    protocol: Protocol,
    folder: Path,
    *,
    size: str | None,
    device: torch.device,
    progress: ProgressCallback | None = None,
) -> ModeCounter:
    """Return who counts the modes of a protocol's samples.

    Args:
        protocol: says what data.
        folder: where a classifier is kept, or looked for.
        size: of the images, as in `DataConfig`.
        device: where to classify.
        progress: told of the classifier's training and of the data's packing.

    Raises:
        InputError: MNIST is not there and cannot be downloaded.
        StorageError: The disk refuses.
    """
    if protocol.data == "stacked-mnist":
        return _of_stacks(protocol, folder, DataConfig(size=size), device, progress)
    centres, sigma = toys.modes(protocol.source)
    middle = torch.from_numpy(centres)
    return ModeCounter(count=lambda points: mixture_modes(points, middle, sigma=sigma, within=RADIUS), real=None)


def read_digits(images: Tensor, classifier: Classifier) -> Tensor:
    """Return what a classifier of digits reads in each channel of (N, C, H, W) uint8 images: (N, C) int64."""
    N, C, H, W = images.shape
    with torch.no_grad():
        parts = images.reshape(N * C, 1, H, W).split(CHUNK)
        return torch.cat([classifier(part).logits.argmax(1).cpu() for part in parts]).view(N, C)


def _of_stacks(
    protocol: Protocol, folder: Path, options: DataConfig, device: torch.device, progress: ProgressCallback | None
) -> ModeCounter:
    classifier, right = _classifier(folder / "classifier.safetensors", options, device, progress)

    def count(samples: Tensor) -> ModeCount:
        return stacked_modes(read_digits(to_uint8(samples), classifier))

    stacks = open_data("stacked-mnist", options=replace(options, split="test"), progress=progress)
    real = stacked_modes(read_digits(stacks.real(np.arange(protocol.samples)), classifier))
    remark = (
        f"Digits are read by a classifier of our own (three convolutions of 32-64-128 maps, {EPOCHS} epochs of MNIST, "
        "every other digit on a gray and noisy ground, without which all faint samples are read as one digit) that is "
        f"right about {right:.2%} of MNIST's test digits (PacGAN's: 99.25%). Real data are stacked of MNIST's test "
        "digits. It gives every sample a digit, readable or not: look at the samples too."
    )
    return ModeCounter(count=count, real=real, remarks=(remark,))


def _classifier(
    path: Path, options: DataConfig, device: torch.device, progress: ProgressCallback | None
) -> tuple[Classifier, float]:
    """Return the classifier kept at `path` and its accuracy, trained first where there is none."""

    def train() -> tuple[Classifier, float]:
        train, test = (
            labelled(open_data("mnist", options=replace(options, split=split), progress=progress))
            for split in ("train", "test")
        )
        if progress is not None:
            progress("classifier", 0, 0)  # so that the time left is not reckoned from the packing of the digits
        digits = weathered(train.images, seed=0)
        network = fit(digits, train.labels, classes=10, epochs=EPOCHS, seed=0, progress=progress, device=device)
        return network, accuracy(network, test.images, test.labels)

    network, right = trained_once(path, train, channels=1, classes=10)
    return network.to(device), right


def weathered(digits: Tensor, *, seed: int) -> Tensor:
    """Lay every other digit on a gray ground of up to 96 of 255, with noise, as generators that are still learning do.

    A classifier that has only seen clean digits reads all of those as one and the same digit.

    Args:
        digits: (N, 1, H, W) uint8.
        seed: of the grounds and the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    clean = digits[::2].float()
    ground = torch.rand(len(clean), 1, 1, 1, generator=generator) * 96
    noise = torch.randn(clean.shape, generator=generator) * 16
    laid = digits.clone()
    laid[::2] = (clean * (1 - ground / 255) + ground + noise).clamp(0, 255).round().to(torch.uint8)
    return laid
