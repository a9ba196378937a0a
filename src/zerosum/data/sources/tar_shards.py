"""Images in tar archives, as webdataset names them: a.jpg beside a.cls or a.json; read at random, never unpacked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.archive import LARGEST_MEMBER_BYTES
from zerosum.data.sources.image_files import SUFFIXES, UNSTAMPED, ImageFiles, OwnLabels, image_files, is_litter
from zerosum.data.sources.labels import natural
from zerosum.data.sources.shards import Shard, part_of
from zerosum.data.sources.splits import shared_depth
from zerosum.data.sources.tar_index import CLASSES, index_of
from zerosum.text import counted

Member = tuple[Shard, int, int]

READING = 2
"""Goes up whenever names and classes are read in another way, so that no older pack is taken from the cache."""


def list_tars(
    root: Path, shards: Sequence[Shard], cache: Path, beside: Callable[[], Sequence[Shard]] = tuple
) -> ImageFiles:
    """List the images of uncompressed tar archives, with their classes where .cls or .json files give them.

    Args:
        root: what the archives were asked for by.
        shards: the archives.
        cache: folder for their indices.
        beside: returns the archives of the other splits, which are looked into where these have classes.

    Raises:
        InputError: one is compressed, or no tar archive.
    """
    contents = [shard.identity(cache) for shard in shards]
    members: dict[str, Member] = {}
    classes: dict[str, str | None] = {}
    again: list[str] = []
    for number, (shard, content) in enumerate(zip(shards, contents, strict=True)):
        # Shards may each begin to count at 0: the number of the shard keeps them apart.
        name_of = partial(_numbered, number=number) if len(shards) > 1 else str
        index = index_of(shard, content, cache)
        if len(set(index.names)) < len(index.names):
            again += [name_of(name) for name, times in Counter(index.names).items() if times > 1]
        members.update((name_of(name), (shard, start, size)) for name, start, size in index)
        classes.update((name_of(name), found) for name, found in index.classes.items())

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
    identity = ((shard.name, f"{content}:{READING}") for shard, content in zip(shards, contents, strict=True))
    return image_files(root, stamps, read, notes, identity=tuple(identity), own=own)


def _numbered(name: str, number: int) -> str:
    """Put the number of a shard before the last part of a name, so that folders of splits and classes stay first.

    >>> _numbered("train/cat/1.png", 7), _numbered("1.png", 7)
    ('train/cat/00007/1.png', '00007/1.png')
    """
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{number:05d}/{last}"


def folders_in(shard: Shard, cache: Path) -> set[str]:
    """Return the folders in which the images of an archive lie, below those that all have in common."""
    paths = [
        name.split("/")[:-1]
        for name in index_of(shard, shard.identity(cache), cache).names
        if name.lower().endswith(SUFFIXES) and not any(is_litter(part) for part in name.split("/"))
    ]
    depth = shared_depth(paths)
    return {path[depth] for path in paths if len(path) > depth}


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
