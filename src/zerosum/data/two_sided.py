"""Data sets with two sides, A and B: two folders, or what else has an A and a B, packed to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import Depth, range_of_side
from zerosum.data.packing.cache import MADE_AGAIN, Packed, discard, key_of
from zerosum.data.packing.depth import depth_part, reopen_as
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.packing.scan import Scan, survey
from zerosum.data.sources.archive import list_zip
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.labels import labelling
from zerosum.data.sources.splits import are_splits, choose_split, folders_of, side_of, split_of
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

NAMED = (("a", "b"), ("source", "target"), ("input", "output"), ("sources", "targets"), ("inputs", "outputs"))
"""What the folders of the two sides may be called, in any capitals."""


def files_at(source: str | Path) -> ImageFiles:
    """List the images of a folder or a .zip.

    Raises:
        InputError: It is neither.
    """
    path = absolute(source)
    if path.is_dir():
        return list_folder(path)
    if path.is_file() and path.name.lower().endswith(".zip"):
        return list_zip(path)
    if not path.exists():
        raise InputError(f"There is no folder or .zip {path}: give one of images.")
    raise InputError(f"{path} is no folder and no .zip: give one of images.")


def two_places(first: str | Path, second: str | Path, options: DataConfig) -> tuple[ImageFiles, ImageFiles]:
    """List the images of two folders or archives.

    Raises:
        InputError: One of them is not there, or has no images or not the split.
    """
    return choose_split(files_at(first), options), choose_split(files_at(second), options)


def two_folders(files: ImageFiles, options: DataConfig, *, any_names: bool) -> tuple[ImageFiles, ImageFiles] | None:
    """Find the two sides within one folder or archive: trainA and trainB, A and B, source and target.

    Args:
        files: All images.
        options: Their split counts.
        any_names: Whether two folders of any names will do, in alphabetical order.

    Returns:
        The two sides; None where there are no such folders.

    Raises:
        InputError: Only one of the two is there, or not the split asked for.
    """
    prefix, names, below = "", files.names, False
    while names:
        rest = [name[len(prefix) :] for name in names]
        tops = sorted({name.partition("/")[0] for name in rest if "/" in name})
        loose = any("/" not in name for name in rest)
        found, chosen = _named(files.root, tops, options.split)
        if found is None and any_names and not loose and len(tops) == 2 and not are_splits(tops, alone=True):
            found = (tops[0], tops[1])
        if found is not None:
            first, second = (
                choose_split(
                    _within(files, f"{prefix}{top}/"), options, prefix=f"{prefix}{top}/", chosen=chosen or below
                )
                for top in found
            )
            return first, second
        if are_splits(tops, alone=not loose):
            tops = folders_of(options.split, tops)
            if not tops:
                raise NoSuchSplit(f"{files.root} has no split {options.split}: choose another with --split.")
            below = True
        if len(tops) != 1 or loose:
            return None
        prefix += f"{tops[0]}/"
        names = tuple(name for name in names if name.startswith(prefix))
    return None


def pack_sides(
    sides: tuple[ImageFiles, ImageFiles],
    form: str,
    options: DataConfig,
    agree: Callable[[Scan, Scan], tuple[DataConfig, DataConfig]],
    progress: ProgressCallback | None,
    sources: Literal[0, 1] = 0,
) -> tuple[Packed, Packed]:
    """Pack both sides into the cache, or open them from there.

    Args:
        sides: The image files of A and of B.
        form: What the sides are of their files: "whole" images or "halves".
        options: What the user asked for.
        agree: From what the files are to the options that each side is packed with.
        progress: Told of stages.
        sources: Which of the sides holds the sources, which a range may name apart.

    Raises:
        InputError: Images cannot be used, or the sides cannot agree.
        StorageError: The cache cannot be written to.
    """
    cache = options.cache_folder()
    asked = {name: getattr(options, name) for name in ("size", "fit", "channels", "corrupt")}
    # Of shards only the whole is identified.
    facts = [[*content_of(s, cache, progress), *([("", s.prefix)] if s.identity else [])] for s in sides]
    ranges = [range_of_side(options.range, int(number != sources)) for number in (0, 1)]

    def name(number: int, limits: str | None, depth: Depth) -> str:
        return key_of(form, number, facts, asked, limits, *depth_part(depth))

    def opened(number: int) -> Packed | None:
        return reopen_as(cache, partial(name, number), ranges[number], options.depth)

    keys = [name(number, limits, options.depth) for number, limits in enumerate(ranges)]
    packs = [opened(number) for number in (0, 1)]
    remarks: tuple[str, ...] = ()
    if None in packs:
        damaged = [discard(cache, key) for key, pack in zip(keys, packs, strict=True) if pack is None]
        remarks = (MADE_AGAIN,) if any(damaged) else ()
        with no_bombs():
            settled = _settled(sides, ranges, options, agree, progress)
            for key, side, own, pack in zip(keys, sides, settled, packs, strict=True):
                if pack is None:
                    pack_files(cache, key, side, own, progress)
        packs = [opened(number) for number in (0, 1)]
    first, second = packs
    if first is None or second is None:
        raise InputError(f"The packed form of {sides[0].root} was deleted while it was being opened: try again.")
    return replace(first, notes=(*first.notes, *remarks)), second


def _settled(
    sides: Iterable[ImageFiles],
    ranges: Sequence[str | None],
    options: DataConfig,
    agree: Callable[[Scan, Scan], tuple[DataConfig, DataConfig]],
    progress: ProgressCallback | None,
) -> list[DataConfig]:
    """Look at both sides, and return the options of each: with its range, and the depth of the deeper one."""
    look = partial(survey, progress=progress, depth=options.depth)
    first, second = (look(side, range=limits) for side, limits in zip(sides, ranges, strict=True))
    agreed = zip(agree(first, second), ranges, strict=True)
    return [replace(own, range=limits, depth=max(first.bits, second.bits)) for own, limits in agreed]


def side_notes(packs: Iterable[Packed], sides: Iterable[ImageFiles], titles: Iterable[str]) -> tuple[str, ...]:
    """What was done to each side, one sentence each, without those on labels."""
    said = []
    for packed, side, title in zip(packs, sides, titles, strict=True):
        unlabelled = labelling(side, DataConfig(labels="none")).sentence
        said += [shown(f"{title}: {note}") for note in packed.notes if note != unlabelled]
    return tuple(said)


def _named(root: Path, tops: Sequence[str], split: str) -> tuple[tuple[str, str] | None, bool]:
    """The two folders that go by one of the known pairs of names, in any capitals, and whether they are of a split."""
    if {f"{split}A", f"{split}B"} <= set(tops):
        return (f"{split}A", f"{split}B"), True
    sides = {side: top for top in reversed(tops) if (side := side_of(top)) is not None}
    a, b = (sides.get((split_of(split) or split, letter)) for letter in "AB")
    if a and b:
        return (a, b), True
    plain = {top.lower(): top for top in tops}
    alone = a or b or (tops[0] if len(tops) == 1 and tops[0].lower() in ("a", "b") else None)
    if alone:
        missing = alone[:-1] + {"a": "b", "b": "a", "A": "B", "B": "A"}[alone[-1]]
        raise InputError(f"{root} has images in {alone} but none in {missing}: put some there.")
    if sides:
        splits = sorted({side[0] for side in sides})
        raise NoSuchSplit(f"{root} has no split {split}: choose --split {' or '.join(splits)}.")
    pair = next((pair for pair in NAMED if set(pair) == set(plain) and len(tops) == 2), None)
    return (None if pair is None else (plain[pair[0]], plain[pair[1]])), False


def _within(files: ImageFiles, prefix: str) -> ImageFiles:
    return replace(files, names=tuple(name for name in files.names if name.startswith(prefix)), others=())
