"""Files that hold many samples, wherever they lie: on this machine, in an object store, or in a data set of the Hub."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from zerosum.data.packing.identity import digests
from zerosum.data.sources.image_files import SUFFIXES
from zerosum.data.sources.splits import split_of
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import digest_of_content, open_regular

ENDINGS = (".tar", ".parquet")
HEAD_BYTES = 1 << 16
"""Bytes at the beginning of an image that are read alone: most headers are shorter."""
SAID = (
    ("ETag", "etag", "md5", "md5Hash", "version", "LastModified", "created"),
    ("Content-MD5", "Digest", "sha", "mtime", "last_write_time", "modificationTime", "modified", "modify", "updated"),
)
"""What stores say of a file that changes with its content; the second where there is none of the first."""
_STORE = re.compile(r"[a-z][a-z0-9+.-]+://.+")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def is_elsewhere(source: str | Path) -> bool:
    """Whether a source lies in an object store, or on the Hub, and is no path of this machine.

    >>> [is_elsewhere(name) for name in ("s3://bucket/a.tar", "hf:owner/data", "a/b.tar", "C://a")]
    [True, True, False, False]
    """
    return str(source).startswith("hf:") or _STORE.fullmatch(str(source)) is not None


@dataclass(frozen=True)
class Shard:
    """A file that holds many samples."""

    place: str
    """A path, or protocol://path of fsspec."""

    store: Any = None
    """The fsspec file system; None for a path of this machine."""

    folder: str = ""
    """The folder that says its split, where it lies beside folders of others, as in train/0.tar and test/0.tar."""

    @property
    def name(self) -> str:
        """The last part of its place."""
        return PurePosixPath(self.place).name

    @property
    def ending(self) -> str:
        """Its ending, in lower case."""
        return PurePosixPath(self.place).suffix.lower()

    def open(self) -> BinaryIO:
        """Open it for reading, with seeks."""
        if self.store is None:
            return open_regular(self.place)
        return cast(BinaryIO, self.store.open(self.place, "rb", block_size=1 << 22))

    def read(self, offset: int, size: int) -> bytes:
        """Read bytes in the middle of it, from any thread."""
        if self.store is None:
            with self.open() as file:  # os.pread is not on Windows
                file.seek(offset)
                return file.read(size)
        return self.store.cat_file(self.place, start=offset, end=offset + size)

    def identity(self, cache: Path) -> str:
        """Return what identifies its content: a digest or, of a store, what that says of it beside its size."""
        if self.store is None:
            return digests([self.place], cache)[0]
        about = self.store.info(self.place)
        said = next((known for names in SAID if any(known := [about.get(name) for name in names])), None)
        return "|".join(map(str, [about.get("size"), *(said or [self._digest()])]))

    def _digest(self) -> str:
        with self.open() as file:
            return digest_of_content(file)


def part_of(shard: Shard, offset: int, size: int) -> BinaryIO:
    """Open bytes in the middle of a shard; of many the first are read, and the rest once more is asked for."""
    if size <= 2 * HEAD_BYTES:
        return BytesIO(shard.read(offset, size))
    return cast(BinaryIO, BufferedReader(_Part(shard, offset, size), HEAD_BYTES))


class _Part(RawIOBase):
    """Bytes in the middle of a shard: headers of images are looked at without their pixels."""

    def __init__(self, shard: Shard, offset: int, size: int) -> None:
        self._read, self._size, self._at = partial(shard.read, offset), size, 0
        self._content = self._read(HEAD_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("seek before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= len(self._content) and len(self._content) < self._size:
            self._content = self._read(self._size)
        given = memoryview(self._content)[self._at : self._at + len(buffer)]
        buffer[: len(given)] = given
        self._at += len(given)
        return len(given)


def shards_at(source: str | Path) -> list[Shard]:
    """List the shards that a source names, of all splits; none where it names no shards.

    Args:
        source: a .tar or .parquet file, a folder of either, a pattern with {000..012} or *, or any of these behind
            s3:// or another protocol of fsspec.

    Raises:
        InputError: there is nothing there, or a package is missing.
    """
    text = str(source)
    found = _of_store(text) if is_elsewhere(text) else [Shard(place) for place in _paths(text)]
    endings = {shard.ending for shard in found}
    if len(endings) > 1:
        raise InputError(f"{source} holds both .tar and .parquet files: give a pattern such as {source}/*.tar.")
    return found


def _paths(text: str) -> list[str]:
    if _RANGE.search(text):
        places = [str(absolute(place)) for place in numbered(text)]
        if missing := [place for place in places if not os.path.exists(place)]:
            raise InputError(f"Of {len(places)} shards {text}, {len(missing)} are missing, such as {missing[0]}.")
        return places
    path = absolute(text)
    if "*" in path.name and path.parent.is_dir():
        return sorted(str(each) for each in path.parent.glob(path.name) if each.suffix.lower() in ENDINGS)
    if path.is_file():
        return [str(path)] if path.suffix.lower() in ENDINGS else []
    return next((found for folder in (path, path / "data") if (found := _inside(folder))), [])


def _inside(folder: Path, *, splits: bool = True) -> list[str]:
    """List the shards of a folder, and of folders in it that are called as splits.

    None where images lie there too, or folders other than those and the Hub's data.
    """
    found, below = [], []
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(ENDINGS):
                    found.append(entry.path)
                elif splits and entry.is_dir() and split_of(entry.name):
                    below.append(_inside(Path(entry.path), splits=False))
                elif entry.name.lower().endswith(SUFFIXES) or (entry.is_dir() and not _is_aside(entry.name)):
                    return []
    return sorted([*found, *itertools.chain(*below)]) if all(below) else []


def _is_aside(folder: str) -> bool:
    return folder == "data" or folder.startswith(".")


def _of_store(text: str) -> list[Shard]:
    try:
        import fsspec

        protocol = text.partition("://")[0]
        store = fsspec.filesystem(protocol)
    except (ImportError, ValueError) as error:
        raise InputError(f"{text} cannot be opened: {error}") from None
    try:
        places = list(numbered(text)) if _RANGE.search(text) else [text]
        names = [name for place in places for name in _listed(store, place.partition("://")[2])]
    except Exception as error:  # stores raise errors of their own
        raise InputError(f"{text} cannot be listed ({type(error).__name__}: {error}).") from None
    found = sorted(name for name in names if name.lower().endswith(ENDINGS))
    if not found:
        raise InputError(f"There are no .tar or .parquet files at {text}.")
    return [Shard(f"{protocol}://{name.lstrip('/') if protocol != 'file' else name}", store) for name in found]


def _listed(store: Any, place: str) -> list[str]:
    if "*" in place:
        return store.glob(place)
    return store.find(place) if store.isdir(place) else [place] if store.exists(place) else []


def numbered(text: str) -> list[str]:
    """Name the shards of a pattern, as webdataset writes it.

    >>> numbered("a-{008..010}.tar")
    ['a-008.tar', 'a-009.tar', 'a-010.tar']
    """
    parts = _RANGE.split(text)
    plain, ranges = parts[::3], list(zip(parts[1::3], parts[2::3], strict=True))
    choices = [[f"{n:0{len(low)}d}" for n in range(int(low), int(high) + 1)] for low, high in ranges]
    return ["".join(itertools.chain(*zip(plain, (*chosen, ""), strict=True))) for chosen in itertools.product(*choices)]
