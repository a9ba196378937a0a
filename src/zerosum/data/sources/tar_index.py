"""Where the members of a tar archive lie, and the classes beside its images: gone through once, kept in the cache."""

from __future__ import annotations

import json
import tarfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from zerosum.data.packing.cache import key_of
from zerosum.data.packing.kept_tables import as_column, of_column, read_table, write_table
from zerosum.data.sources.shards import Shard
from zerosum.errors import InputError

CLASSES = (".cls", ".json")
"""Endings of what stands beside an image and may hold its class."""
KEYS = ("label", "class", "cls")
"""Entries of a .json that are a class."""
LARGEST_CLASS_BYTES = 1 << 20
"""Bytes beyond which what stands beside an image is not looked into for a class."""
KEPT_MEMBERS = 1000
"""Members from which on the index of a local archive is kept: fewer are gone through in no time."""


@dataclass(frozen=True)
class TarIndex:
    """The regular members of an archive, in order."""

    names: list[str] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("q"))
    """Where the content of each begins."""
    sizes: array[int] = field(default_factory=lambda: array("q"))
    classes: dict[str, str | None] = field(default_factory=dict)
    """The class in each member that may hold one, by its name."""

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        """Yield name, start and size of each."""
        return zip(self.names, self.starts, self.sizes, strict=True)


def index_of(shard: Shard, identity: str, cache: Path) -> TarIndex:
    """Return the index of an archive, from the cache where the same content was gone through before.

    Raises:
        InputError: it is compressed, or no tar archive.
    """
    place = cache / "identities" / f"{key_of('tar', identity)}.npz"
    kept = read_table(place)
    try:
        classes = dict(zip(of_column(kept["beside"]), of_column(kept["classes"]), strict=True))
        starts, sizes = (array("q", kept[part].tobytes()) for part in ("starts", "sizes"))
        index = TarIndex(of_column(kept["names"]), starts, sizes, classes)
        if len(index.names) == len(starts) == len(sizes):
            return index
    except (KeyError, ValueError, TypeError):
        pass
    index = _gone_through(shard)
    if shard.store is not None or len(index.names) >= KEPT_MEMBERS:
        columns = {"names": as_column(index.names), "beside": as_column([*index.classes])}
        columns |= {part: np.array(getattr(index, part), np.int64) for part in ("starts", "sizes")}
        write_table(place, columns | {"classes": as_column([*index.classes.values()])})
    return index


def _gone_through(shard: Shard) -> TarIndex:
    """Go through an archive once, reading of its contents only what may be a class."""
    index = TarIndex()
    try:
        with shard.open() as file, tarfile.open(fileobj=file, mode="r:") as archive:
            while (member := archive.next()) is not None:
                # The archive would hold the headers of all.
                archive.members.clear()  # pyright: ignore[reportAttributeAccessIssue]
                if member.isreg():
                    name = member.name.removeprefix("./")
                    index.names.append(name)
                    index.starts.append(member.offset_data)
                    index.sizes.append(member.size)
                    if name.endswith(CLASSES):
                        index.classes[name] = _class_at(file, member, PurePosixPath(name).suffix)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(
            f"{shard.place} is no tar archive that can be read at random ({error}): one without compression is needed."
        ) from None
    return index


def _class_at(file: BinaryIO, member: tarfile.TarInfo, ending: str) -> str | None:
    if member.size > LARGEST_CLASS_BYTES:
        return None
    file.seek(member.offset_data)
    content = file.read(member.size)
    return content.decode("utf-8", "replace").strip() if ending == ".cls" else _class_in(content)


def _class_in(content: bytes) -> str | None:
    try:
        about = json.loads(content)
    except (ValueError, RecursionError):
        return None
    known = [about[key] for key in KEYS if isinstance(about, dict) and isinstance(about.get(key), int | str)]
    return str(known[0]) if known else None
