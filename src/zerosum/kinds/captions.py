"""Images with sentences about them: a table of captions, or a .txt beside each image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.dataset import channels_first, gather
from zerosum.data.jitter import CAPTION, Draw, views
from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import Depth
from zerosum.data.packing.cache import MADE_AGAIN, Packed, discard, key_of, keys_of, reopen
from zerosum.data.packing.depth import depth_part, reopen_as
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.open_image import no_bombs, open_image
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.packing.scan import attempt
from zerosum.data.sentences import LONGEST, as_bytes, packed, vocabulary
from zerosum.data.sizes import is_images, like
from zerosum.data.sources import shapes
from zerosum.data.sources.caption_files import EXPECTED, captions_of
from zerosum.data.sources.find import built_in, find, name_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import images
from zerosum.kinds.base import Kind
from zerosum.media.image_arrays import TIFFS
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores
from zerosum.text import counted, listed, shown

Captions = tuple[tuple[str, ...], ...]
"""The sentences about each image, one or more."""


@dataclass(frozen=True, kw_only=True)
class CaptionedImages(Batch):
    """Images, and a sentence about each."""

    pixels: ClassVar[tuple[str, ...]] = ("image",)

    image: Tensor
    """(N, C, H, W): float in [-1, 1] once on the device, uint8 or uint16 on the way there."""

    caption: Tensor
    """(N, L) uint8: a sentence each, in UTF-8, with zeros behind (`zerosum.data.sentences`)."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, C, H, W)."""
        return self.image


@dataclass(frozen=True, kw_only=True, eq=False)
class CaptionDataset(images.ImageDataset):
    """(M, H, W, C) uint8 or uint16 images, channels last, with captions."""

    captions: Captions
    length: int
    """Bytes of the longest caption."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> CaptionedImages:  # type: ignore[override]
        """Gather images at (N,) rows, each with one of its captions: a random one where drawn, else the first."""
        (chosen,) = rows
        image = gather(self.samples, chosen)
        image = image if draw is None else views(image, draw)
        said = [self._caption(int(row), index, draw) for index, row in enumerate(chosen)]
        return CaptionedImages(image=channels_first(image), caption=packed(said, self.length))

    def at(self, rows: slice) -> Self:
        """Return the samples of some rows with their captions, as a view, under the same fingerprint."""
        return replace(super().at(rows), captions=self.captions[rows])

    def first_captions(self, rows: np.ndarray) -> list[str]:
        """Return the first caption of each image at (N,) rows."""
        return [self.captions[int(row)][0] for row in rows]

    def _caption(self, row: int, index: int, draw: Draw | None) -> str:
        said = self.captions[row]
        if draw is None or len(said) == 1:
            return said[0]
        return said[int(draw.generator(index, CAPTION).integers(len(said)))]


def open_captions(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> CaptionDataset:
    """Open images with captions.

    Args:
        source: A folder or .zip of images with a table of captions, or with a .txt beside each image; or the name
            captioned-shapes.
        options: Captions, size, channels, split and all else.
        progress: Told of stages.

    Raises:
        InputError: There are no such data, an image lacks a caption, a caption its image, or all of them words.
        StorageError: The cache cannot be written to.
    """
    options = options.checked()
    if built_in(source) == shapes.NAME:
        if options.captions is not None:
            raise InputError(f"{shapes.NAME} has captions of its own: leave out --captions.")
        drawn = images.open(source, options=replace(options, labels="none"), progress=progress)
        return _dataset(drawn, shapes.captions(options.split), drawn.notes)
    if options.fit == "tiles":
        raise InputError("--fit tiles cuts images apart, and a caption is about a whole one: give cover or pad.")
    files = find(source, options, progress)
    if not isinstance(files, ImageFiles):
        raise InputError(f"{source} is no folder and no .zip of images with captions: give one, with {EXPECTED}.")
    skipped: tuple[str, ...] = ()
    if options.corrupt == "skip":
        files, skipped = _sound(files)
    table = captions_of(files, options)
    pack = _packed(files, options, progress)
    said = tuple(table.of[name] for name in files.names)
    opened = images.ImageDataset(
        samples=pack.samples,
        labels=None,
        spec=pack.spec,
        source=name_of(source),
        fingerprint=pack.fingerprint,
        notes=pack.notes,
    )
    own = [note for note in pack.notes if note != "No labels were taken, as asked."]
    return _dataset(opened, said, (f"Captions were read from {table.place}.", *table.notes, *own, *skipped))


def _dataset(opened: images.ImageDataset, said: Captions, notes: tuple[str, ...]) -> CaptionDataset:
    every = [caption for one in said for caption in one]
    lengths = [len(caption.encode("utf-8", "replace")) for caption in every]
    known = vocabulary(every)
    if not known:
        raise InputError(
            f"No caption of {opened.source} has a word (such as {shown(every[0])[:40]!r}): write what each image shows."
        )
    cut = sum(length > LONGEST for length in lengths)
    counts = f"{counted(len(every), 'caption')} of {counted(len(said), 'image')}"
    note = f"{counts}, of {counted(len(known), 'different word')}."
    notes = (note, *notes, *((f"{counted(cut, 'caption')} were cut at {LONGEST} bytes.",) if cut else ()))
    digest = hashlib.blake2b("\n".join("\t".join(one) for one in said).encode("utf-8", "replace"), digest_size=16)
    return CaptionDataset(
        samples=opened.samples,
        labels=None,
        captions=said,
        length=max(len(as_bytes(caption)) for caption in every),
        spec=replace(opened.spec, kind="captions", classes=(), attributes=(), vocabulary=known),
        source=opened.source,
        fingerprint=key_of(opened.fingerprint, digest.hexdigest()),
        notes=notes,
    )


def _packed(files: ImageFiles, options: DataConfig, progress: ProgressCallback | None) -> Packed:
    """Pack the files in their order, or open them from the cache."""
    cache, files = options.cache_folder(), replace(files, others=())
    asked = {name: getattr(options, name) for name in ("size", "fit", "channels")}
    key_with = keys_of("captions", content_of(files, cache, progress), files.names, asked)

    def name(limits: str | None, depth: Depth) -> str:
        return key_with(limits, *depth_part(depth))

    found = reopen_as(cache, name, options.range, options.depth)
    if found is not None:
        return found
    key = name(options.range, options.depth)
    damaged = discard(cache, key)
    plain = replace(options, labels="none", corrupt="refuse")
    with no_bombs():
        pack_files(cache, key, files, plain, progress)
    found = reopen(cache, key)
    if found is None:
        raise InputError(f"The packed form of {files.root} was deleted while it was being opened: try again.")
    return replace(found, notes=(*found.notes, MADE_AGAIN)) if damaged else found


def _sound(files: ImageFiles) -> tuple[ImageFiles, tuple[str, ...]]:
    """Leave out images that cannot be read."""
    with no_bombs():
        tried = on_all_cores(attempt(files, _decode), files.names, window=64)
        lost = {name: None for name, result in zip(files.names, tried, strict=True) if isinstance(result, Exception)}
    if not lost:
        return files, ()
    kept = tuple(name for name in files.names if name not in lost)
    if not kept:
        raise InputError(f"No image in {files.root} can be used: {listed([*lost])} cannot be read.")
    note = f"Skipped as corrupt: {counted(len(lost), 'image')} ({listed([*lost])})."
    return replace(files, names=kept), (note,)


def _decode(file: BinaryIO) -> None:
    with open_image(file) as image:
        image.load()


def example(spec: Spec, count: int) -> CaptionDataset:
    """Make random images of a spec, with sentences of shapes."""
    plain = Spec(shape=spec.shape, bits=spec.bits)
    said = tuple(shapes.sentences(shapes.ALL[row % len(shapes.ALL)]) for row in range(count))
    return _dataset(images.example(plain, count), said, ())


KIND = Kind(
    name="captions",
    unit="images with captions",
    batch=CaptionedImages,
    open=open_captions,
    accepts=is_images,
    unused=("target", "degrade", "direction", "labels"),
    own=("captions",),
    single=False,
    recipe=lambda spec, options: "stackgan",
    draw=images.draw,
    endings=TIFFS,
    save=images.save,
    example=example,
    features="captions",
    like=like,
    memory_format=torch.channels_last,
)
