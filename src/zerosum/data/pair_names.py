"""Pairs of images by their names: in two folders, in a .tar, or in the columns of a Parquet file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.two_sided import NAMED
from zerosum.errors import InputError
from zerosum.text import composed, counted, listed


def matched(first: ImageFiles, second: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
    """Put the files of two folders in the same order, by their names without endings.

    Raises:
        InputError: A file lacks its partner, or two of one folder have the same name but for the ending.
    """
    a, b = _by_stem(first), _by_stem(second)
    lonely = [sorted(side[stem] for stem in side.keys() - other.keys()) for side, other in ((a, b), (b, a))]
    if any(lonely):
        said = [
            f"{counted(len(names), 'image')} of {place} without a partner in {other} ({listed(names)})"
            for names, place, other in (
                (lonely[0], first.place, second.place),
                (lonely[1], second.place, first.place),
            )
            if names
        ]
        raise InputError(
            f"The images do not pair up: {' and '.join(said)}; partners have the same name but for the ending."
        )
    order = sorted(a)
    return replace(first, names=tuple(a[stem] for stem in order)), replace(
        second, names=tuple(b[stem] for stem in order)
    )


def shard_sides(files: ImageFiles) -> tuple[ImageFiles, ImageFiles] | None:
    """Find the sides of pairs by the names of images: 001.a.png beside 001.b.png, or .source. beside .target.

    Returns:
        The files of both sides, in one order; None where no name says a side.

    Raises:
        InputError: an image lacks its partner, or is of no side.
    """
    sides: dict[str, dict[str, str]] = {}
    for name in files.names:
        folder, _, last = name.rpartition("/")
        key, _, side = last.rpartition(".")[0].partition(".")  # as webdataset reads names: up to the first dot
        sides.setdefault(side.lower(), {})[f"{folder}/{key}"] = name
    pair = next((pair for pair in NAMED if not sides.keys().isdisjoint(pair)), None)
    if pair is None:
        return None
    first, second = (sides.pop(side, {}) for side in pair)
    if sides:
        other = sorted(name for names in sides.values() for name in names.values())
        raise InputError(
            f"{counted(len(other), 'image')} in {files.root} {'is' if len(other) == 1 else 'are'} of neither side "
            f"({listed(other)}): name them .{pair[0]}. and .{pair[1]}., or take them out."
        )
    lonely = sorted({**first, **second}[key] for key in first.keys() ^ second.keys())
    if lonely:
        raise InputError(
            f"The images do not pair up: {counted(len(lonely), 'image')} in {files.root} without a partner "
            f"({listed(lonely)}); a pair is NAME.{pair[0]}.png and NAME.{pair[1]}.png."
        )
    order = sorted(first)
    a, b = (replace(files, names=tuple(side[key] for key in order), others=()) for side in (first, second))
    return a, b


def pair_note(sides: tuple[ImageFiles, ImageFiles]) -> str:
    """Say what a pair is."""
    first, second = (side.names[0].rpartition("/")[2] for side in sides)
    return f"A pair is two images of one name in the shards, such as {first} and {second}."


def told_pairs(files: ImageFiles) -> tuple[str, ...]:
    """Say of shards looked over that they hold pairs, or what they lack to hold them; nothing of other images."""
    try:
        sides = shard_sides(files)
    except InputError as error:
        return (str(error),)
    if sides is None:
        return ()
    return (f"{pair_note(sides)} --recipe pix2pix learns from pairs; other recipes take each image alone.",)


def _by_stem(files: ImageFiles) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in files.names:
        stem = composed(str(PurePosixPath(files.inner(name)).with_suffix("")))
        if found.setdefault(stem, name) != name:
            raise InputError(f"{found[stem]} and {name} in {files.root} go by one name: keep one, or rename it.")
    return found
