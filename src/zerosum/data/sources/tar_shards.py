"""Images in tar archives, as webdataset names them: a.jpg beside a.cls or a.json; read at random, never unpacked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.archive import LARGEST_MEMBER_BYTES
from zerosum.data.sources.image_files import SUFFIXES, UNSTAMPED, ImageFiles, OwnLabels, image_files, is_litter
from zerosum.data.sources.labels import are_numbered, natural
from zerosum.data.sources.shard_splits import named_by_split
from zerosum.data.sources.shards import Shard, part_of
from zerosum.data.sources.splits import shared_depth, side_of, split_of
from zerosum.data.sources.tar_index import CLASSES, index_of
from zerosum.text import counted

Member = tuple[Shard, int, int]


def list_tars(
    root: Path, shards: Sequence[Shard], cache: Path, beside: Callable[[], Sequence[Shard]] = tuple
) -> ImageFiles:
    """List the images of uncompressed tar archives, with the classes that .cls or .json files, or folders, give them.

    Args:
        root: what the archives were asked for by.
        shards: the archives.
        cache: folder for their indices.
        beside: returns the archives of the other splits, which are looked into where these have classes.

    Raises:
        InputError: one is compressed, or no tar archive.
    """
    identity = tuple((shard.name, shard.identity(cache)) for shard in shards)
    members: dict[str, Member] = {}
    classes: dict[str, str | None] = {}
    again: list[str] = []
    for number, (shard, (_, content)) in enumerate(zip(shards, identity, strict=True)):
        # Shards may each begin to count at 0: the number of the shard keeps them apart.
        prefix = f"{number:05d}/" if len(shards) > 1 else ""
        index = index_of(shard, content, cache)
        if len(set(index.names)) < len(index.names):
            again += [prefix + name for name, times in Counter(index.names).items() if times > 1]
        members.update((prefix + name, (shard, start, size)) for name, start, size in index)
        classes.update((prefix + name, found) for name, found in index.classes.items())

    def read(name: str) -> BinaryIO:
        shard, offset, size = members[name]
        if size > LARGEST_MEMBER_BYTES:
            raise Unusable(f"would take {size:,} bytes, more than is read from an archive")
        return part_of(shard, offset, size)

    of, lonely = _classes_beside(members, classes)
    own, notes = None, partly_labelled(lonely, of)
    if of and not lonely:
        own = own_labels(of, (found for shard in beside() for found in _classes_in(shard, cache)))
    stamps: dict[str, tuple[int, int]] = {name: UNSTAMPED for name in members if own is None or name not in classes}
    if again:
        notes += (
            f"{counted(len(again), 'name')} in the shards stand for two files or more (such as {min(again)}): of files "
            "of the same name the last counts, as when the archive is extracted.",
        )
    files = image_files(root, stamps, read, notes, identity=identity, own=own)
    if not of and (len(shards) > 1 or named_by_split(shards)):
        elsewhere = ([*index_of(shard, shard.identity(cache), cache).names] for shard in beside())
        files = replace(files, own=_own_folders(files.names, elsewhere, numbered=len(shards) > 1))
    return files


def _own_folders(names: Sequence[str], elsewhere: Iterable[Sequence[str]], *, numbered: bool) -> OwnLabels | None:
    """Return classes that are the folders in which the images lie; None where they are no classes.

    Args:
        names: of the images.
        elsewhere: names of all files of each shard of the other splits.
        numbered: whether names begin with the number of the shard.
    """
    folders = _folders(names, [name.partition("/")[2] if numbered else name for name in names])
    if not folders:
        return None
    others = [folder for each in elsewhere for folder in _folders(each, each).values()]
    own = replace(own_labels(folders, others), by_folder=True)
    are_sides = any(split_of(folder) or side_of(folder) for folder in own.classes)
    return None if len(own.classes) < 2 or are_sides or are_numbered(own.classes) else own


def _folders(names: Sequence[str], within: Sequence[str]) -> dict[str, str]:
    """Return the first folder of each image, below those that all have in common; empty where one lies in none."""
    paths = {
        name: path.split("/")[:-1]
        for name, path in zip(names, within, strict=True)
        if path.lower().endswith(SUFFIXES) and not any(is_litter(part) for part in path.split("/"))
    }
    depth = shared_depth([*paths.values()])
    return {} if any(len(path) <= depth for path in paths.values()) else {n: p[depth] for n, p in paths.items()}


def own_labels(of: dict[str, str], elsewhere: Iterable[str]) -> OwnLabels:
    """Number the classes of images together with those of other splits, so that a class has one number in all.

    >>> own_labels({"a.png": "dog"}, ["cat"]).classes
    ('cat', 'dog')
    """
    return OwnLabels(of, tuple(sorted({*of.values(), *elsewhere}, key=natural)))


def _classes_in(shard: Shard, cache: Path) -> set[str]:
    index = index_of(shard, shard.identity(cache), cache)
    return set(_classes_beside(index.names, index.classes)[0].values())


def _classes_beside(members: Iterable[str], classes: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
    """Return the class beside each image that has one, and the images that have none."""
    of: dict[str, str] = {}
    lonely: list[str] = []
    for name in members:
        if not name.lower().endswith(SUFFIXES):
            continue
        folder, _, last = name.rpartition("/")
        stem = (f"{folder}/" if folder else "") + last.partition(".")[0]  # the key ends at the first dot
        found = next((classes[beside] for ending in CLASSES if (beside := stem + ending) in classes), None)
        if found:
            of[name] = sys.intern(found)
        else:
            lonely.append(name)
    return of, lonely


def partly_labelled(lonely: Sequence[str], of: Mapping[str, str]) -> tuple[str, ...]:
    """Say that classes in shards are left aside, where some images have none and others have one."""
    if not (lonely and of):
        return ()
    return (
        f"Classes in the shards are left aside, because {counted(len(lonely), 'image')} of {len(lonely) + len(of):,} "
        f"have none (such as {lonely[0]}).",
    )
