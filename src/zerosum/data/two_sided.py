"""Data sets with two sides, A and B: halves of side-by-side images, or two folders, packed to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image, ImageOps

from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import MADE_ANEW, Packed, discard, key_of, reopen
from zerosum.data.packing.decode import Unusable, no_bombs, open_image
from zerosum.data.packing.identity import content_of
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.packing.scan import Scan, survey
from zerosum.data.sources.image_files import SPLITS, ImageFiles, choose_split, list_folder, list_zip
from zerosum.data.sources.labels import labelling
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback

STORABLE = ("1", "L", "LA", "I;16", "I", "F", "RGB", "RGBA", "CMYK")
"""Pillow's modes that a TIFF keeps as they are."""


def halves(files: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
    """View files of side-by-side pairs as the files of their left halves, and of their right ones.

    Each half is cut out of the upright image before anything is scaled, so that neither bleeds into the other.
    """
    return (
        replace(files, open=_half(files.open, "left")),
        replace(files, open=_half(files.open, "right"), others=()),
    )


def _half(read: Callable[[str], BinaryIO], which: Literal["left", "right"]) -> Callable[[str], BinaryIO]:
    def open_half(name: str) -> BinaryIO:
        with read(name) as file, open_image(file) as image:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            width, height = image.size
            if width % 2 or width <= height:
                raise Unusable(
                    f"is {height}x{width} (height x width), which is no pair side by side: give the targets with "
                    "--target, or make sources with --degrade"
                )
            box = (0, 0, width // 2, height) if which == "left" else (width // 2, 0, width, height)
            return _stored(image, box)

    return open_half


def _stored(image: Image.Image, box: tuple[int, int, int, int]) -> BinaryIO:
    plain: Image.Image = image
    if "transparency" in image.info or image.mode in ("La", "RGBa", "PA"):
        plain = image.convert("RGBA")
    elif image.mode not in STORABLE:
        plain = image.convert("RGB")
    half = BytesIO()
    plain.crop(box).save(half, format="TIFF")
    half.seek(0)
    return half


NAMED = (("A", "B"), ("a", "b"), ("source", "target"), ("input", "output"))
"""What the folders of the two sides may be called."""


def files_at(source: str | Path) -> ImageFiles:
    """List the images of a folder or a .zip.

    Raises:
        InputError: It is neither.
    """
    path = Path(source).expanduser().absolute()
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
    prefix, names = "", files.names
    while names and all("/" in name[len(prefix) :] for name in names):
        tops = sorted({name[len(prefix) :].partition("/")[0] for name in names})
        found = _named(files.root, tops, options.split) or (tuple(tops) if any_names and _are_two(tops) else None)
        if found:
            split = "train" if found[0].startswith(options.split) else options.split
            sides = (_within(files, f"{prefix}{top}/") for top in found)
            first, second = (choose_split(side, replace(options, split=split)) for side in sides)
            return first, second
        if set(tops) <= set(SPLITS):
            if options.split not in tops:
                raise InputError(f"{files.root} has no split {options.split}: choose --split {' or '.join(tops)}.")
            tops = [options.split]
        if len(tops) > 1:
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
) -> tuple[Packed, Packed]:
    """Pack both sides into the cache, or open them from there.

    Args:
        sides: The image files of A and of B.
        form: What the sides are of their files: "whole" images or "halves".
        options: What the user asked for.
        agree: From what the files are to the options that each side is packed with.
        progress: Told of stages.

    Raises:
        InputError: Images cannot be used, or the sides cannot agree.
        StorageError: The cache cannot be written to.
    """
    cache = options.cache_folder()
    asked = {name: getattr(options, name) for name in ("size", "fit", "channels", "corrupt")}
    facts = [content_of(side, cache, progress) for side in sides]
    keys = [key_of(form, number, facts, asked) for number in (0, 1)]
    packs = [reopen(cache, key) for key in keys]
    remarks: tuple[str, ...] = ()
    if None in packs:
        damaged = [discard(cache, key) for key, pack in zip(keys, packs, strict=True) if pack is None]
        remarks = (MADE_ANEW,) if any(damaged) else ()
        with no_bombs():
            settled = agree(*(survey(side, progress) for side in sides))
            for key, side, own, pack in zip(keys, sides, settled, packs, strict=True):
                if pack is None:
                    pack_files(cache, key, side, own, progress)
        packs = [reopen(cache, key) for key in keys]
    first, second = packs
    if first is None or second is None:
        raise InputError(f"The packed form of {sides[0].root} was deleted while it was being opened: try again.")
    return replace(first, notes=(*first.notes, *remarks)), second


def side_notes(packs: Iterable[Packed], sides: Iterable[ImageFiles], titles: Iterable[str]) -> tuple[str, ...]:
    """What was done to each side, one sentence each, without those on labels."""
    said = []
    for packed, side, title in zip(packs, sides, titles, strict=True):
        unlabelled = labelling(side, DataConfig(labels="none")).sentence
        said += [f"{title}: {note}" for note in packed.notes if note != unlabelled]
    return tuple(said)


def _named(root: Path, tops: list[str], split: str) -> tuple[str, str] | None:
    """The two folders that go by one of the known pairs of names."""
    own = (f"{split}A", f"{split}B")
    if set(own) <= set(tops):
        return own
    for pair in (own, NAMED[0]):
        there = [top for top in pair if top in tops]
        if len(there) == 1 and (pair == own or len(tops) == 1):
            missing = next(top for top in pair if top not in tops)
            raise InputError(f"{root} has images in {there[0]} but none in {missing}: put some there.")
    splits = sorted({top[:-1] for top in tops if top[-1:] in ("A", "B") and top[:-1] in SPLITS})
    if splits:
        raise InputError(f"{root} has no split {split}: choose --split {' or '.join(splits)}.")
    return next((pair for pair in NAMED if set(pair) == set(tops)), None)


def _are_two(tops: list[str]) -> bool:
    return len(tops) == 2 and not set(tops) <= set(SPLITS)


def _within(files: ImageFiles, prefix: str) -> ImageFiles:
    return replace(files, names=tuple(name for name in files.names if name.startswith(prefix)), others=())
