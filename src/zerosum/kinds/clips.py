"""Clips: a few frames each, of videos, of strips, of folders of frames, or made by rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.dataset import SampleDataset, gather, random_labels
from zerosum.data.jitter import Draw, Jitter
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import MADE_AGAIN, Packed, digest, discard, key_of, reopen
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.pack_clips import pack_clips, survey
from zerosum.data.sources import moving
from zerosum.data.sources.clip_files import ClipFiles, find_clips, is_clips
from zerosum.data.sources.find import built_in, name_of, shadowed
from zerosum.data.sources.label_table import label_key
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.base import Kind
from zerosum.media.clips import FILMS, draw, film, save
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

READING = 2
"""Goes up whenever frames are read in another way, so that no older pack is taken from the cache."""


@dataclass(frozen=True, kw_only=True)
class Clips(Batch):
    """Clips of equally many frames, and their labels where the data have them."""

    pixels: ClassVar[tuple[str, ...]] = ("clip",)

    clip: Tensor
    """(N, T, C, H, W): float in [-1, 1] once on the device, uint8 on the way there."""

    label: Tensor | None = None
    """(N,), int64 in [0, K); (N, A), int64 of 0 and 1, where the data have attributes; or None."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, T, C, H, W)."""
        return self.clip


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipDataset(SampleDataset):
    """(M, T, H, W, C) uint8 clips, channels last."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Clips:
        """Gather clips at (N,) rows; all frames of a clip get the same view."""
        (chosen,) = rows
        clips = gather(self.samples, chosen)
        if draw is not None and draw.jitter != Jitter():
            views = [draw.view(index) for index in range(len(clips))]
            clips = np.stack([np.stack([view.of(f) for f in clip]) for view, clip in zip(views, clips, strict=True)])
        return Clips(clip=channels_first(clips), label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the clips at (N,) rows, without labels: (N, T, C, H, W) uint8."""
        return channels_first(gather(self.samples, rows))


def channels_first(clips: np.ndarray) -> Tensor:
    """View (N, T, H, W, C) as the tensor (N, T, C, H, W)."""
    return torch.from_numpy(clips).permute(0, 1, 4, 2, 3)


def accepts(source: str | Path) -> bool:
    """Whether a source is a path, or the name of clips that are made by rule."""
    return built_in(source) in (None, *moving.NAMES)


def like(spec: Spec, options: DataConfig) -> DataConfig:
    """Return options that bring clips to the frames, size and channels of a spec."""
    frames, channels, height, width = spec.shape
    return replace(options, frames=frames, channels=channels, size=f"{height}x{width}")


def open_clips(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> ClipDataset:
    """Open clips by a path or by a name.

    Args:
        source: A folder or .zip of videos, of strips of square frames, or of a folder of frames for each clip; one
            video; or a name: moving-shapes, moving-mnist, moving-digits.
        options: Frames, size, channels, labels, split, cache, and what to do about clips that cannot be used.
        progress: Told of a stage ("read", "look", "pack"), what is done and what there is to do.

    Raises:
        InputError: There are no such data, or they cannot be used; the sentence says why and how to go on.
        StorageError: The cache cannot be written to.
    """
    options = require_options(options)
    if (name := built_in(source)) is not None:
        return replace(_made(name, options, progress), notes=(*_made_note(name), *shadowed(source)))
    clips = find_clips(source, options)
    cache = options.cache_folder()
    key = _key(clips, options, progress)
    packed, damaged = reopen(cache, key), False
    if packed is None:
        damaged = discard(cache, key)
        with no_bombs():
            pack_clips(cache, key, clips, options, progress)
        packed = reopen(cache, key)
    return _dataset(packed, name_of(source), (MADE_AGAIN,) if damaged else ())


def sized_by(source: str | Path, options: DataConfig) -> DataConfig:
    """Return options at whose size and frames clips are compared with those of a source: of its most common form.

    Raises:
        InputError: there are no clips at the source.
    """
    if built_in(source) is not None:
        return options
    with no_bombs():
        facts = survey(find_clips(source, options), replace(options, frames=1)).facts.values()
    forms = Counter((fact.frames, fact.height, fact.width) for fact in facts if fact.frames)
    if not forms:
        return options
    (frames, height, width), _ = forms.most_common(1)[0]
    return replace(options, frames=frames, size=options.size or f"{height}x{width}")


def require_options(options: DataConfig) -> DataConfig:
    """Return options that clips can be opened with.

    Raises:
        InputError: one is of no use to clips.
    """
    if options.fit == "tiles":
        raise InputError("--fit tiles cuts images, and these are clips: give --fit cover or pad.")
    if options.channels in (2, 4):
        raise InputError(f"--channels is {options.channels}, and clips have no opacity: give 1 or 3.")
    return options.checked()


def _made(name: str, options: DataConfig, progress: ProgressCallback | None) -> ClipDataset:
    samples, labels, classes = moving.clips(name, options, progress)
    frames, height, width, channels = samples.shape[1:]
    spec = Spec(shape=(frames, channels, height, width), kind="clips", classes=classes)
    fingerprint = digest(samples, labels, spec)
    return ClipDataset(samples=samples, labels=labels, spec=spec, source=name, fingerprint=fingerprint, notes=())


def _made_note(name: str) -> tuple[str, ...]:
    if name == "moving-shapes":
        return (
            "Clips are made by rule: a disc, square or diamond moves by half the side; its direction is the class.",
        )
    return ("Clips are made by rule: two digits move and bounce off the edges.",)


def _key(clips: ClipFiles, options: DataConfig, progress: ProgressCallback | None) -> str:
    """Name of the pack: it changes with the content of every file, option and label, and with nothing else."""
    elsewhere = ("range", "depth", "cache", "target", "degrade", "direction", "pack")
    asked = {name: value for name, value in asdict(options).items() if name not in elsewhere}
    table = label_key(clips.files, options)
    content = content_of(clips.stored, options.cache_folder(), progress)
    return key_of("clips", READING, clips.form, content, clips.files.prefix, asked, table)


def _dataset(packed: Packed | None, source: str, remarks: tuple[str, ...]) -> ClipDataset:
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return ClipDataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=replace(packed.spec, kind="clips"),
        source=source,
        fingerprint=packed.fingerprint,
        notes=tuple(map(shown, (*packed.notes, *remarks))),
    )


def play(samples: Tensor, path: Path, spec: Spec) -> list[Path]:
    """Write (N, T, C, H, W) clips in [-1, 1] as one GIF."""
    target = path.with_suffix(".gif")
    film(samples, target)
    return [target]


def example(spec: Spec, count: int) -> ClipDataset:
    """Make random clips of a spec, with labels where it has classes."""
    frames, channels, height, width = spec.shape
    shape = (count, frames, height, width, channels)
    samples = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    labels = random_labels(spec, count)
    return ClipDataset(samples=samples, labels=labels, spec=spec, source="random", fingerprint="random", notes=())


KIND = Kind(
    name="clips",
    unit="clips",
    batch=Clips,
    open=open_clips,
    accepts=accepts,
    claims=is_clips,
    recipe=lambda spec, options: "dvdgan",
    unused=("target", "degrade", "direction", "range", "depth"),
    own=("frames", "frame_step"),
    draw=draw,
    save=save,
    endings=FILMS,
    example=example,
    like=like,
    sized_by=sized_by,
    play=play,
    pictures=False,
    features="clips",
    frechet="FVD",
)
