"""Pairs of images: side by side in one file, in two folders under the same names, or made from one by spoiling it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import torch

from zerosum.data.batch import Pairs
from zerosum.data.dataset import Dataset, channels_first, gather, random_images
from zerosum.data.degrade import Degradation
from zerosum.data.half_images import halves
from zerosum.data.jitter import FIXED_NOISE, NOISE, Draw, generator, views
from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import joined
from zerosum.data.packing.cache import key_of
from zerosum.data.packing.decode import extent, inspect
from zerosum.data.packing.open_image import no_bombs, open_image
from zerosum.data.packing.scan import attempt
from zerosum.data.pair_names import matched, pair_note, shard_sides
from zerosum.data.pair_sizes import agree
from zerosum.data.sizes import like
from zerosum.data.sources.find import find, name_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.indexed import find_indexed
from zerosum.data.sources.splits import choose_split
from zerosum.data.spec import Spec
from zerosum.data.two_sided import files_at, pack_sides, side_notes, two_folders, two_places
from zerosum.errors import InputError
from zerosum.kinds import images
from zerosum.kinds.base import Kind
from zerosum.kinds.images import open as open_images
from zerosum.media.image_arrays import TIFFS
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores
from zerosum.text import counted, listed


@dataclass(frozen=True, kw_only=True, eq=False)
class PairDataset(Dataset):
    """M pairs, each shuffled as one; `samples` are the targets, (M, H, W, C) uint8 or uint16.

    Where the sources are a degradation, they are made from the targets as they are drawn.
    """

    sources: np.ndarray | Degradation
    """(M, H', W', C') uint8 or uint16, or how a target becomes its source."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Pairs:
        """Gather pairs; both images of a pair get the same view.

        Args:
            rows: (N,) integers in [0, M).
            draw: varies the images; without one, a random degradation is the same for a row every time.
        """
        (chosen,) = rows
        target = gather(self.samples, chosen)
        target = target if draw is None else views(target, draw)
        if isinstance(self.sources, Degradation):
            source = np.stack(
                [
                    self.sources(image, draw.generator(i, NOISE) if draw else generator(0, int(chosen[i]), FIXED_NOISE))
                    for i, image in enumerate(target)
                ]
            )
        else:
            source = gather(self.sources, chosen)
            source = source if draw is None else views(source, draw)
        return Pairs(source=channels_first(source), target=channels_first(target))


def open_pairs(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> PairDataset:
    """Open pairs.

    Args:
        source: A folder or .zip of images that hold a pair side by side, or of two folders (A and B, trainA and trainB,
            source and target) with the same names in them; shards, with two images a name or two columns; with
            `options.target`, the sources alone; with `options.degrade`, any images, which become the targets.
        options: Direction, size and all else.
        progress: Told of stages.

    Raises:
        InputError: There are no such data, or they are no pairs.
        StorageError: The cache cannot be written to.
    """
    options = options.checked()
    if options.degrade is not None:
        return _spoilt(source, options, progress)
    sides, form, origin = _sides(source, options, progress)
    if options.corrupt == "skip":
        sides, skipped = _sound(sides)
        origin = (*origin, *skipped)
    order: tuple[Literal[0, 1], Literal[0, 1]] = (0, 1) if options.direction == "AtoB" else (1, 0)
    packs = pack_sides(sides, form, options, partial(agree, sides, options=options), progress, order[0])
    if len(packs[0].samples) != len(packs[1].samples):
        raise InputError(f"The images of {name_of(source)} changed while they were being read: try again.")
    given, wanted = (packs[index] for index in order)
    notes = side_notes((given, wanted), (sides[order[0]], sides[order[1]]), ("Sources", "Targets"))
    return PairDataset(
        sources=given.samples,
        samples=wanted.samples,
        spec=Spec(
            shape=wanted.spec.shape,
            kind="pairs",
            source_shape=given.spec.shape,
            bits=wanted.spec.bits,
            range=joined(given.spec.range, wanted.spec.range),
        ),
        source=name_of(source),
        fingerprint=key_of(given.fingerprint, wanted.fingerprint),
        notes=(*origin, *notes),
    )


def _spoilt(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> PairDataset:
    if options.target is not None:
        raise InputError("--target and --degrade both say where half of each pair comes from: leave one of them out.")
    if options.direction != "AtoB":
        raise InputError(
            "--direction has no meaning with --degrade, where the spoilt image is the source: leave it out."
        )
    way = Degradation.read(str(options.degrade))
    options = replace(options, labels="none")
    targets = open_images(source, options=options, progress=progress)
    channels, *size = targets.spec.shape
    fit = way.fitting((size[0], size[1]))
    if options.size is None and options.fit != "tiles" and fit != tuple(size):
        targets = open_images(source, options=replace(options, size=f"{fit[0]}x{fit[1]}"), progress=progress)
    if channels not in (1, 3):
        way = replace(way, alpha=isinstance(find(source, options), ImageFiles))
    told = () if channels in (1, 3) or way.alpha else ("channels are spoilt one by one",)
    notes = tuple(note for note in targets.notes if not note.startswith("No labels were taken"))
    return PairDataset(
        sources=way,
        samples=targets.samples,
        spec=Spec(
            shape=targets.spec.shape,
            kind="pairs",
            source_shape=way.shape(targets.spec.shape),
            bits=targets.spec.bits,
            range=targets.spec.range,
        ),
        source=targets.source,
        fingerprint=key_of(targets.fingerprint, str(way), *told),
        notes=(f"Sources are made from the images by {way}; the images are the targets.", *notes),
    )


def _sides(
    source: str | Path, options: DataConfig, progress: ProgressCallback | None
) -> tuple[tuple[ImageFiles, ImageFiles], str, tuple[str, ...]]:
    """Find the files of A and of B, in the same order; say what they are of their files, and where they lie."""
    if options.target is not None:
        a, b = two_places(source, options.target, options)
        return matched(a, b), "whole", (f"A pair is an image of {a.root} and the one of the same name in {b.root}.",)
    files = find_indexed(source, options, progress)
    if files is None:
        files = files_at(source)
        if (found := two_folders(files, options, any_names=False)) is not None:
            a, b = found
            return matched(a, b), "whole", (f"A pair is an image of {a.prefix} and the one of its name in {b.prefix}.",)
        files = choose_split(files, options)
    elif (sides := shard_sides(files)) is not None:
        return sides, "whole", (pair_note(sides),)
    left, right = ("source", "target") if options.direction == "AtoB" else ("target", "source")
    note = f"Each image holds a pair side by side: the left half is the {left}, the right half the {right}."
    return halves(files), "halves", (note,)


def _sound(sides: tuple[ImageFiles, ImageFiles]) -> tuple[tuple[ImageFiles, ImageFiles], tuple[str, ...]]:
    """Leave out pairs of which either image cannot be read."""
    with no_bombs():
        good = [_readable(side) for side in sides]
    kept = [one and other for one, other in zip(*good, strict=True)]
    if all(kept):
        return sides, ()
    names = [name for name, keep in zip(sides[0].names, kept, strict=True) if not keep]
    first, second = (
        replace(side, names=tuple(name for name, keep in zip(side.names, kept, strict=True) if keep)) for side in sides
    )
    if not first.names:
        raise InputError(f"No pair in {first.root} can be used: {listed(names)} cannot be read.")
    return (first, second), (
        f"Skipped because an image of them is corrupt: {counted(len(names), 'pair')} ({listed(names)}).",
    )


def _readable(side: ImageFiles) -> list[bool]:
    tried = on_all_cores(attempt(side, _decode), side.names, window=64)
    return [not isinstance(result, Exception) for result in tried]


def _decode(file: BinaryIO) -> None:
    """Read an image in all the ways in which packing may find that it cannot be used, so that no pair loses one side.

    Raises:
        Unusable: It is too small, or holds numbers that are not finite.
    """
    wide = inspect(file).wide
    file.seek(0)
    if wide is not None:
        extent(file)
        return
    with open_image(file) as image:
        image.load()


def example(spec: Spec, count: int) -> PairDataset:
    """Make random pairs of a spec."""
    given = random_images(spec.source_shape or spec.shape, count, seed=1)
    samples = random_images(spec.shape, count, seed=0)
    return PairDataset(sources=given, samples=samples, spec=spec, source="random", fingerprint="random", notes=())


KIND = Kind(
    name="pairs",
    unit="pairs",
    batch=Pairs,
    recipe=lambda spec, options: "pix2pix",
    open=open_pairs,
    unused=("labels",),
    single=False,
    draw=images.draw,
    endings=TIFFS,
    save=images.save,
    like=like,
    example=example,
    memory_format=torch.channels_last,
)
