"""What is asked of an evaluation, and where and with what it computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import PositiveInt

from zerosum.config import BaseConfig, Seed
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationContext:
    """Where and with what an evaluation computes."""

    device: torch.device
    cache: Path
    """Folder where features, classifiers and packed data are kept."""

    world: World
    """The processes that share the work."""

    progress: ProgressCallback | None


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(BaseConfig):
    """How samples are evaluated."""

    against: str | None = None
    """What real samples they are compared with: a folder, a .zip, an array file or a name, as in training. By default
    the run's own data; a folder of images needs it. Or .npz files of `zerosum features`, with commas between."""

    split: str | None = None
    """The part of these data that they are compared with; by default test or val where the data have one, else train.
    The floor is real samples of another part, or, where there is one part only, of its other half."""

    metrics: str | None = None
    """Metrics, with commas between, such as fid,precision,recall; by default all that these samples and features
    allow."""

    per_class: bool = False
    """Also the Frechet distance, precision and recall of each class, for runs of recipes that generate for classes: of
    samples with its label against real ones of it, 20 or more."""

    features: str | None = None
    """What sees the images: inception, inception-768, classifier (trained on the labelled data at hand), pixels,
    random, or hf:NAME. By default classifier where the data have labels, else Inception's where its weights are
    here."""

    perceptual: str | None = None
    """The backbone that LPIPS and perceptual path lengths see with: alex:WEIGHTS or vgg:WEIGHTS, a .pth or .safetensors
    file with torchvision's names. Without one, path lengths are told by a classifier of labelled data."""

    perceptual_heads: str | None = None
    """The learned weights of LPIPS's channels, a file of version 0.1; by default weights/lpips_v0.1/alex.pth or vgg.pth
    in the folder $ZEROSUM_DATA."""

    count: PositiveInt = 5_000
    """Samples on each side, fewer where the data have fewer. More make most metrics sharper; with fewer than an
    extractor has features a Frechet distance is biased, and it is said."""

    fake_count: PositiveInt | None = None
    """Generated samples, where they are to be more or fewer than the real ones: published figures are often of 50,000
    against all real ones, as --split train --count 50000 --fake-count 50000."""

    size: str | None = None
    """For a folder of images: the size, such as 64 or 48x64, that both sides are brought to."""

    seed: Seed = 0
    """Of the choice of samples, of their generation, of subsets and resampling."""
