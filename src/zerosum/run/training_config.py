"""Settings of training that belong to no recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, NonNegativeInt, PositiveFloat, PositiveInt

from zerosum import stabilisers
from zerosum.config import BaseConfig, Seed


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(BaseConfig):
    """How to train, whatever the recipe."""

    seed: Seed = 0
    """Start of all randomness: initial weights, order of the data, latents. Equal seeds give equal runs on a CPU."""

    save_every: PositiveInt = 200
    """Rounds between checkpoints. A kill loses at most the rounds since the last one; Ctrl-C, SIGTERM and a
    terminal that closes lose none."""

    keep: PositiveInt = 3
    """Newest checkpoints to keep."""

    copy_to: str | None = None
    """Where in an object store the run is copied to whenever a checkpoint is written: s3://bucket/name, or another
    protocol of fsspec. With --go-on, a run that is not on this machine goes on from there."""

    preview_every: PositiveInt = 200
    """Rounds between preview pictures."""

    log_every: PositiveInt = 10
    """Rounds over which logged values are averaged into one line of history."""

    watch_every: NonNegativeInt = 100
    """Rounds between looks at the samples' variety, the sizes of steps and other signs of failure, which the history
    keeps; findings are said at once. They cost under 2 % of the time and change nothing else; 0: never."""

    previews: PositiveInt = 64
    """Samples in a preview picture; of a recipe that translates, at most 8 are shown, each beside its source."""

    micro_batches: PositiveInt = 1
    """Pieces into which a batch is split to compute its gradient: more take less memory; without batch norm the
    gradient is the same."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto for the first of these that is there."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the networks; auto takes bfloat16 where the machine has units for it and the data are images. In
    float32, convolutions of an NVIDIA GPU round their factors to TF32, as is PyTorch's default; evaluation does not."""

    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Order of an image's values in memory; auto takes channels_last where that is faster."""

    stabilise: Annotated[str | None, AfterValidator(stabilisers.checked)] = None
    """Additions that keep a game stable, by commas, each with its strength after a colon or else its own default:
    instance-noise:0.1,feature-matching:1.0 (docs/stabilisers.md). none leaves out what few images would get."""

    clusters: PositiveInt | None = None
    """Clusters of similar images that stand for classes, for data without labels or with --labels none. By default one
    for every 50 images, at most 30, where the data have no labels and the recipe needs some; else none, and all are of
    one class where there are fewer than 100 images."""

    gradient_messages: Literal["float32", "bfloat16"] = "float32"
    """What gradients travel as where several processes train: bfloat16 halves the messages, and rounds what is summed,
    in float32, to 8 bits; the result is then no longer that of one process to rounding."""

    lost_after: PositiveFloat = 30.0
    """Minutes after which one of several processes that does not answer counts as lost, and the others end."""

    autopilot: bool = False
    """Whether a run that fails goes back to its last healthy checkpoint and on with other settings, a few times at
    most (docs/autopilot.md). It is diagnosed whenever a checkpoint is written; a healthy run is the same without."""

    evaluate_every: NonNegativeInt = 0
    """Rounds between evaluations, whose figures become curves; 0: never. They cost time and change nothing else."""

    evaluate_features: str | None = None
    """What sees the images of evaluations, as --features of `zerosum evaluate`."""

    evaluate_count: PositiveInt = 1_000
    """Samples on each side of an evaluation during training: few, so that it is quick; figures compare within a run."""

    best: str | None = None
    """The metric by which evaluations choose the checkpoint that is kept as checkpoints/best; by default the first that
    there is of fid, high-quality (of points) and psnr (of pairs)."""


RESUMABLE = frozenset(
    {
        "save_every",
        "keep",
        "copy_to",
        "preview_every",
        "log_every",
        "device",
        "autopilot",
        "evaluate_every",
        "watch_every",
        "lost_after",
    }
)
"""Settings of `Training` that a resumed run may change without becoming another run."""
