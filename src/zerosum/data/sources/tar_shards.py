"""Images in tar archives, as webdataset names them: a.jpg beside a.cls or a.json; read at random, never unpacked."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.archive import LARGEST_MEMBER_BYTES
from zerosum.data.sources.image_files import SUFFIXES, UNSTAMPED, ImageFiles, OwnLabels, image_files
from zerosum.data.sources.labels import natural
from zerosum.data.sources.shards import Shard, part_of
from zerosum.data.sources.tar_index import CLASSES, index_of

Member = tuple[Shard, int, int]


def list_tars(root: Path, shards: Sequence[Shard], cache: Path) -> ImageFiles:
    """List the images of uncompressed tar archives, with their classes where .cls or .json files give them.

    Raises:
        InputError: one is compressed, or no tar archive.
    """
    identity = tuple((shard.name, shard.identity(cache)) for shard in shards)
    members: dict[str, Member] = {}
    classes: dict[str, str | None] = {}
    for number, (shard, (_, content)) in enumerate(zip(shards, identity, strict=True)):
        # Shards may each begin to count at 0: the number of the shard keeps them apart.
        prefix = f"{number:05d}/" if len(shards) > 1 else ""
        index = index_of(shard, content, cache)
        members.update((prefix + name, (shard, start, size)) for name, start, size in index)
        classes.update((prefix + name, found) for name, found in index.classes.items())

    def read(name: str) -> BinaryIO:
        shard, offset, size = members[name]
        if size > LARGEST_MEMBER_BYTES:
            raise Unusable(f"would take {size:,} bytes, more than is read from an archive")
        return part_of(shard, offset, size)

    own = _labels(members, classes)
    stamps: dict[str, tuple[int, int]] = {name: UNSTAMPED for name in members if own is None or name not in classes}
    return image_files(root, stamps, read, identity=identity, own=own)


def _labels(members: Iterable[str], classes: Mapping[str, str | None]) -> OwnLabels | None:
    """Return the class beside every image; None where one has none."""
    of: dict[str, str] = {}
    for name in members:
        if not name.lower().endswith(SUFFIXES):
            continue
        folder, _, last = name.rpartition("/")
        stem = (f"{folder}/" if folder else "") + last.partition(".")[0]  # the key ends at the first dot
        found = next((classes[beside] for ending in CLASSES if (beside := stem + ending) in classes), None)
        if found is None:
            return None
        of[name] = sys.intern(found)
    return OwnLabels(of, tuple(sorted(set(of.values()), key=natural))) if of else None
