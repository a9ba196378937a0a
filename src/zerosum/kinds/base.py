"""The interface of a kind of sample: everything that depends on what a sample is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Protocol

import torch
from PIL import Image
from torch import Tensor

from zerosum.config import flag
from zerosum.data.batch import Batch, to_uint8
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback

OF_FEW_KINDS = ("captions", "ages", "groups", "rate", "length", "frames", "frame_step", "pack")
"""Settings of `DataConfig` that a kind has no use for unless it names them in `Kind.own`."""


class Opener(Protocol):
    """Opens data as one kind of sample."""

    def __call__(
        self, source: str | Path, *, options: DataConfig = ..., progress: ProgressCallback | None = None
    ) -> Dataset:
        """Open data; raises InputError where they cannot be used, StorageError where the cache refuses."""
        ...


class Drawer(Protocol):
    """Draws samples as a picture."""

    def __call__(self, samples: Tensor, real: Tensor | None = None) -> Image.Image:
        """Draw (N, *shape) samples, where it helps beside real ones (M, *shape)."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """What a sample is. A file of this package each; `kinds.names()` lists them."""

    name: str
    """How `Spec.kind` and the documentation name it."""

    unit: str
    """What samples are called when they are counted, in the plural."""

    batch: type[Batch]
    """What is drawn of it, and what recipes name in `Recipe.data`."""

    open: Opener
    """Opens data of this kind."""

    accepts: Callable[[str | Path], bool] = lambda source: True
    """Whether a source that a user names can be of this kind, before it is opened."""

    claims: Callable[[str | Path], bool] | None = None
    """Whether a source is of this kind though nobody names a recipe; as `accepts` where None."""

    unused: tuple[str, ...] = ()
    """Settings of `DataConfig` that are of no use to this kind, and refused."""

    recipe: Callable[[Spec, DataConfig], str] | None = None
    """Chooses the recipe that is trained on data of a spec, opened with some options, where none is named; None where
    one has to be."""

    draw: Drawer
    """Draws samples, for previews and reports."""

    save: Callable[[Tensor, Path, Mapping[str, str], Spec], list[Path]]
    """Writes (N, *shape) samples of a spec into a folder or a file, with metadata; returns what was written."""

    example: Callable[[Spec, int], Dataset]
    """Makes random samples that fit a spec, as many as asked for: for property tests and speed trials."""

    endings: tuple[str, ...] = ()
    """Endings of files that `save` writes beside a .png and a .npy."""

    draw_neighbours: Callable[[Tensor, Tensor], Image.Image] | None = None
    """Draws (N, *shape) samples beside their (N, K, *shape) nearest training samples; None where nobody could look."""

    memory_format: torch.memory_format | None = None
    """Order in memory that suits its convolutions; None where there are none."""

    precision: Literal["auto", "float32"] = "auto"
    """Arithmetic by default: float32 where networks are too small to gain from less."""

    prefetch: bool = True
    """Whether the next batch is gathered on a thread while this one is trained on."""

    pictures: bool = True
    """Whether samples are images (C, H, W), which metrics of pixels take."""

    features: str = "images"
    """Module of `zerosum.features` that finds extractors for it; "raw" where a sample's values are its features."""

    frechet: str = "FID"
    """What the Frechet distance of its features is called, before the extractor's name."""

    finished: Callable[[Tensor, Spec], Tensor] = lambda samples, spec: to_uint8(samples)
    """Brings generated samples (N, *shape) of a spec to the form that `SampleDataset.real` has and extractors take."""

    like: Callable[[Spec, DataConfig], DataConfig] = lambda spec, options: options
    """Returns options with which other data are opened at the shape of a spec."""

    sized_by: Callable[[str | Path, DataConfig], DataConfig] = lambda source, options: options
    """Returns options with which data are opened to be compared with samples that lie at a source; raises InputError
    where there are none."""

    play: Callable[[Tensor, Path, Spec], list[Path]] | None = None
    """Writes a few samples (N, *shape) of a spec as files to play or turn, named by a path and their endings (.wav,
    .gif, .mp4, .glb); returns what was written. None where a picture says it all."""

    fallback: bool = False
    """Whether it is what a source is taken for that no other kind accepts."""

    jitters: bool = True
    """Whether samples can be enlarged, cropped, mirrored and turned as they are drawn."""

    clusters: bool = False
    """Whether samples without labels can be divided into clusters that stand for classes."""

    single: bool = True
    """Whether data are one set of samples, not two sides that belong together."""

    paired: bool = True
    """Whether a result made from a sample has one real answer in the data."""

    own: tuple[str, ...] = ()
    """Settings of `DataConfig` that are of use to few kinds, this one among them: `OF_FEW_KINDS`."""

    def require_useful(self, options: DataConfig, source: str | Path) -> None:
        """Refuse settings that this kind has no use for.

        Raises:
            InputError: one is set.
        """
        defaults = {field.name: field.default for field in fields(options)}
        for name in (*self.unused, *(name for name in OF_FEW_KINDS if name not in self.own)):
            value = getattr(options, name)
            if value != defaults[name] and not (name == "labels" and value == "none"):
                raise InputError(
                    f"{source} is made of {self.unit}: leave out {flag(name)} {value}, which is of no use to them."
                )
