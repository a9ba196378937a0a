"""Extractors of images with captions: `matching`, trained on the data at hand, and those of images.

`matching` maps images and sentences into one space (`zerosum.networks.captions`). It is trained apart from any
generator, on every second of the real images with their captions, once, and kept in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from zerosum import text
from zerosum.data.batch import to_float
from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.data.sentences import vocabulary
from zerosum.errors import InputError
from zerosum.features import images
from zerosum.features.classifier_extractor import LEARNED
from zerosum.features.extractor import Extractor, Features, identity_of
from zerosum.kinds.captions import CaptionDataset
from zerosum.metrics.caption_rank import CANDIDATES, caption_ranks
from zerosum.networks.captions import ImageEncoder, Matching, SentenceEncoder, contrastive_loss
from zerosum.player import Clock, Player
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.thread_pool import ProgressCallback

CPU = torch.device("cpu")
NAMES = ("matching", *images.NAMES)
EMBEDDING = 64
WIDTH = 32
BATCH = 64
STEPS = 1500
RATE = 2e-3
LARGEST_SIDE = 32
FEWEST = 64
"""Images with captions that it takes at least: it learns from half of them."""
MOST_IMAGES = 30_000
TESTED = 2_000
VERSION = 1
"""Goes up whenever the network or its training changes, so that no older one is taken from the cache."""


class Matched:
    """Features of images, in the space of sentences.

    Args:
        network: the encoders.
        protocol: one sentence on what they were trained on and how well they match.
        learned: fingerprint of the data that they learned `LEARNED` rows of.
    """

    name = "matching"
    width = EMBEDDING

    def __init__(self, network: Matching, protocol: str, learned: str) -> None:
        self.network, self.protocol, self.learned = network, protocol, learned
        self.identity = identity_of(network.state_dict(), self.name, VERSION)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Map (N, C, H, W) uint8 images of the shape that it was trained on."""
        with torch.autocast(self._device.type, enabled=False):
            return Features(features=self.network.image(_shrunk(images.to(self._device))).float().cpu())

    @torch.no_grad()
    def sentences(self, given: Sequence[str]) -> Tensor:
        """Map N sentences to (N, E) float32 on the CPU."""
        encoder = self.network.sentence
        with torch.autocast(self._device.type, enabled=False):
            parts = [encoder(encoder.tokens(given[at : at + 1000])).cpu() for at in range(0, len(given), 1000)]
        return torch.cat(parts)

    @property
    def _device(self) -> torch.device:
        return self.network.log_scale.device


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
    if asked == "matching":
        return matching_of(reference, cache=cache, progress=progress, device=device)
    return images.find(asked, reference=reference, cache=cache, held_out=held_out, progress=progress, device=device)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features of images with captions, as `features.find.default` does."""
    if len(reference) >= FEWEST:
        return "matching", "Features are of an encoder that matches images of these data with their captions."
    return images.default(reference, cache=cache)


def matching_of(
    reference: SampleDataset,
    *,
    cache: Path,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Matched:
    """Train encoders on every second of some images with captions, or take those that were trained on them before.

    Args:
        reference: images with captions.
        cache: folder for trained weights.
        seed: of the training.
        progress: told "matching", and how many steps are done of how many.
        device: where to train and to compute.

    Raises:
        InputError: there are no captions, or too few images.
        StorageError: The cache cannot be written to.
    """
    if not isinstance(reference, CaptionDataset) or len(reference) < FEWEST:
        raise InputError(
            f"--features matching is trained on {FEWEST} images with captions or more, and {reference.source} has "
            f"{len(reference)} images: choose other features, such as inception or random."
        )
    rows = np.arange(len(reference))
    learned = np.random.default_rng(seed).permutation(rows[LEARNED])[:MOST_IMAGES]
    known = vocabulary(caption for row in learned for caption in reference.captions[row])
    shape = tuple(_shrunk(reference.real(rows[:1])).shape[1:])
    path = cache / "matching" / f"{key_of(VERSION, reference.fingerprint, seed)}.safetensors"

    def build() -> Matching:
        return Matching(SentenceEncoder(known, EMBEDDING, EMBEDDING), ImageEncoder(shape, WIDTH, EMBEDDING))

    network = _read(path, build)
    if network is None:
        fitted = fit(build, reference, learned, seed=seed, progress=progress, device=device)
        with replacing(path) as partial:
            weights = {name: weight.cpu().contiguous() for name, weight in fitted.state_dict().items()}
            partial.write_bytes(safetensors.torch.save(weights))
        network = _read(path, build)
        assert network is not None
    found = Matched(network.to(device), "", reference.fingerprint)
    found.protocol = _protocol(found, reference, learned=len(learned), seed=seed)
    return found


def _protocol(found: Matched, reference: CaptionDataset, *, learned: int, seed: int) -> str:
    """Say what encoders were trained on, and how well they find the captions of the other images."""
    tested = np.delete(np.arange(len(reference)), LEARNED)[:TESTED]
    said = reference.first_captions(tested)
    features = torch.cat([found(chunk).features for chunk in reference.chunks(tested)])
    rank = text.number(float(caption_ranks(features, found.sentences(said), said, seed=0).mean()))
    return (
        f"Encoders of images and sentences trained on {learned:,} images of {reference.source} with captions "
        f"(fingerprint {reference.fingerprint[:8]}, seed {seed}), which give the right captions of {len(tested):,} "
        f"others the mean rank {rank} among {CANDIDATES}; {EMBEDDING} features, images in [-1, 1], sides above "
        f"{LARGEST_SIDE} averaged down to it."
    )


def fit(
    build: Callable[[], Matching],
    reference: CaptionDataset,
    rows: np.ndarray,
    *,
    seed: int,
    steps: int = STEPS,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Matching:
    """Train encoders on images (rows) and their captions, by Adam in batches of 64 with a contrastive loss.

    The learning rate rises for a tenth of the steps and falls to nothing. A caption is drawn for each image each time.
    """
    random = np.random.default_rng(seed)
    with rng.fork(device, seed=seed), torch.enable_grad():
        network = build().to(device).train()
        player = Player.adam(network, lr=RATE, betas=(0.9, 0.999), schedule=_rise_and_fall)
        clock = Clock(phase_rounds=steps)
        order = np.empty(0, dtype=np.int64)
        while clock.phase_round < steps:
            if len(order) < min(BATCH, len(rows)):
                order = random.permutation(rows)
            taken, order = order[:BATCH], order[BATCH:]
            said = [reference.captions[row][random.integers(len(reference.captions[row]))] for row in taken]
            tokens = network.sentence.tokens(said)
            loss = contrastive_loss(network(_shrunk(reference.real(taken).to(device)), tokens), tokens)
            for weight, gradient in zip(player.parameters, torch.autograd.grad(loss, player.parameters), strict=True):
                weight.grad = gradient
            player.step(clock)
            clock.phase_round += 1
            if progress is not None:
                progress("matching", clock.phase_round, steps)
    return network


def _read(path: Path, build: Callable[[], Matching]) -> Matching | None:
    """Read what was written; None where the file is not there, damaged, or of another network."""
    with rng.fork(CPU):
        network = build()
    try:
        network.load_state_dict(safetensors.torch.load(path.read_bytes()))
    except (OSError, safetensors.SafetensorError, KeyError, RuntimeError):
        return None
    return network.eval().requires_grad_(False)


def _shrunk(images: Tensor) -> Tensor:
    """Bring (N, C, H, W) uint8 images to [-1, 1], and sides above 32 down to it."""
    H, W = images.shape[2:]
    x = to_float(images)
    if max(H, W) <= LARGEST_SIDE:
        return x
    return functional.adaptive_avg_pool2d(x, (min(H, LARGEST_SIDE), min(W, LARGEST_SIDE)))


def _rise_and_fall(clock: Clock) -> dict[str, float]:
    at = (clock.phase_round + 0.5) / clock.phase_rounds
    return {"lr": RATE * min(at / 0.1, (1 - at) / 0.9)}
