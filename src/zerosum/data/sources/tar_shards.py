"""Images in tar archives, as webdataset names them: a.jpg beside a.cls or a.json; read at random, never unpacked."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.archive import LARGEST_MEMBER_BYTES
from zerosum.data.sources.image_files import SUFFIXES, ImageFiles, OwnLabels, image_files
from zerosum.data.sources.labels import natural
from zerosum.data.sources.shards import Shard
from zerosum.errors import InputError

CLASSES = (".cls", ".json")
"""Endings of what stands beside an image and may hold its class."""
KEYS = ("label", "class", "cls")
"""Entries of a .json that are a class."""

Member = tuple[Shard, int, int]


def list_tars(root: Path, shards: Sequence[Shard], cache: Path) -> ImageFiles:
    """List the images of uncompressed tar archives, with their classes where .cls or .json files give them.

    Raises:
        InputError: one is compressed, or no tar archive.
    """
    members: dict[str, Member] = {}
    for number, shard in enumerate(shards):
        for name, offset, size in _members(shard):
            # Shards may each begin to count at 0: the number of the shard keeps them apart.
            members[f"{number:05d}/{name}" if len(shards) > 1 else name] = (shard, offset, size)

    def read(name: str) -> BinaryIO:
        shard, offset, size = members[name]
        if size > LARGEST_MEMBER_BYTES:
            raise Unusable(f"would take {size:,} bytes, more than is read from an archive")
        return BytesIO(shard.read(offset, size))

    own = _labels(members, read)
    beside = set(CLASSES) if own is not None else set()
    stamps = {name: (size, 0) for name, (_, _, size) in members.items() if PurePosixPath(name).suffix not in beside}
    identity = tuple((shard.name, shard.identity(cache)) for shard in shards)
    return image_files(root, stamps, read, identity=identity, own=own)


def _members(shard: Shard) -> list[tuple[str, int, int]]:
    try:
        with shard.open() as file, tarfile.open(fileobj=file, mode="r:") as archive:
            return [(each.name.removeprefix("./"), each.offset_data, each.size) for each in archive if each.isreg()]
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(
            f"{shard.place} is no tar archive that can be read at random ({error}): one without compression is needed."
        ) from None


def _labels(members: dict[str, Member], read: Callable[[str], BinaryIO]) -> OwnLabels | None:
    """Read the class beside every image; None where one has none."""
    of: dict[str, str] = {}
    for name in members:
        if not name.lower().endswith(SUFFIXES):
            continue
        folder, _, last = name.rpartition("/")
        stem = (f"{folder}/" if folder else "") + last.partition(".")[0]  # the key ends at the first dot
        found = None
        if f"{stem}.cls" in members:
            found = read(f"{stem}.cls").read().decode("utf-8", "replace").strip()
        elif f"{stem}.json" in members:
            found = _class_in(read(f"{stem}.json").read())
        if found is None:
            return None
        of[name] = found
    return OwnLabels(of, tuple(sorted(set(of.values()), key=natural))) if of else None


def _class_in(content: bytes) -> str | None:
    try:
        about = json.loads(content)
    except (ValueError, RecursionError):
        return None
    known = [about[key] for key in KEYS if isinstance(about, dict) and isinstance(about.get(key), int | str)]
    return str(known[0]) if known else None
