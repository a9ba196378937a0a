"""A small classifier of images, trained in a minute: it counts modes, scores samples and sees features.

Source: three convolutions of 32, 64 and 128 maps, after the classifier that Stacked MNIST is counted with (Lin et al.
2018, PacGAN, https://arxiv.org/abs/1712.04086), with strides for its pooling and batch norm.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.features.extractor import Features
from zerosum.player import Clock, Player
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback

WIDTH = 128
LARGEST_SIDE = 64
BATCH = 128
RATE = 4e-3
CPU = torch.device("cpu")


class Classifier(nn.Module):
    """Tells K classes of images of C channels, at any height and width from 8.

    Sides above 64 are averaged down to 64 first.

    Args:
        channels: C.
        classes: K.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.channels, self.classes = channels, classes
        self.stages = nn.Sequential(_stage(channels, 32, 5, 2), _stage(32, 64, 3, 2), _stage(64, 128, 3, 1))
        self.hidden = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9 * 128, WIDTH), nn.ReLU())
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images: (N, 128) features of the last hidden layer, and (N, K) logits."""
        features = self.hidden(self.maps(to_float(images.to(self.head.weight.device)))[-1])
        return Features(features=features, logits=self.head(features))

    def maps(self, images: Tensor) -> list[Tensor]:
        """See (N, C, H, W) images in [-1, 1]: the maps (N, C_s, H_s, W_s) of the three stages, first to last."""
        H, W = images.shape[-2:]
        if max(H, W) > LARGEST_SIDE:
            images = functional.adaptive_avg_pool2d(images, (min(H, LARGEST_SIDE), min(W, LARGEST_SIDE)))
        found = [images.contiguous(memory_format=torch.channels_last)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return found[1:]


def fit(
    images: Tensor,
    labels: Tensor,
    *,
    classes: int,
    epochs: int,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Classifier:
    """Train a classifier, by Adam in batches of 128.

    Args:
        images: (N, C, H, W) uint8.
        labels: (N,) integers in [0, K).
        classes: K.
        epochs: times that every image is seen.
        seed: of the first weights and the order; on one machine the same seed gives the same classifier.
        progress: told "classifier", and how many steps are done of how many.
        device: where to train; the classifier stays there.

    Returns:
        The classifier, ready to see: its batch norm at rest, its weights fixed.

    Raises:
        InputError: The images and labels are not as many, or there are none.

    Source: the learning rate rises for a fifth of the steps and falls to nothing, after Smith & Topin 2017
    (https://arxiv.org/abs/1708.07120).
    """
    if len(images) != len(labels) or not len(images):
        raise InputError(
            f"A classifier was to learn {len(images):,} images from {len(labels):,} labels: give one label an image."
        )
    with rng.fork(device, seed=seed), torch.enable_grad():
        network = Classifier(images.shape[1], classes).train()
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        player = Player.adam(network, lr=RATE, betas=(0.9, 0.999), schedule=_rise_and_fall)
        clock = Clock(phase_rounds=epochs * -(-len(images) // BATCH))
        for rows in _orders(len(images), epochs, seed):
            logits = network(images[rows]).logits
            _move(player, clock, functional.cross_entropy(logits, labels[rows].long().to(device)))
            clock.phase_round += 1
            if progress is not None:
                progress("classifier", clock.phase_round, clock.phase_rounds)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def accuracy(classifier: Classifier, images: Tensor, labels: Tensor) -> float:
    """Share of (N, C, H, W) uint8 images whose label (N,) is the one that the classifier finds likeliest."""
    found = torch.cat([classifier(part).logits.argmax(1).cpu() for part in images.split(500)])
    return float((found == labels.cpu()).double().mean())


def _stage(given: int, made: int, kernel: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(given, made, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(made), nn.ReLU(inplace=True))


def _orders(count: int, epochs: int, seed: int) -> Iterator[Tensor]:
    """Yield the rows of each batch; the last of an epoch is filled up from its start, for batch norm's sake."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        order = torch.randperm(count, generator=generator)
        for start in range(0, count, BATCH):
            rows = order[start : start + BATCH]
            yield torch.cat([rows, order[: min(BATCH, count) - len(rows)]])


def _rise_and_fall(clock: Clock) -> dict[str, float]:
    at = (clock.phase_round + 0.5) / clock.phase_rounds
    return {"lr": RATE * min(at / 0.2, (1 - at) / 0.8)}


def _move(player: Player, clock: Clock, loss: Tensor) -> None:
    for weight, gradient in zip(player.parameters, torch.autograd.grad(loss, player.parameters), strict=True):
        weight.grad = gradient
    player.step(clock)
