"""Identity of files by their content.

Two files are the same if their content is, whatever they are called and whenever they were written. A digest is kept
in the cache beside the metadata under which it was taken (device, inode, size, times of change of content and inode):
while all of them stay, the file is not read again. As in git, a file that changed less than `RACY_NS` before it was
read is read again the next time, because a further change within one tick of the clock would not show.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zerosum.data.packing.cache import key_of
from zerosum.data.packing.kept_tables import as_column, of_column, read_table, write_table
from zerosum.data.sources.image_files import ImageFiles
from zerosum.runtime.regular_files import digest_of, metadata_of
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores

RACY_NS = 2_000_000_000
WINDOW = 256
UNREADABLE = "unreadable"
METADATA, DIGEST_BYTES = 5, 16
NONE = bytes(DIGEST_BYTES)
"""Stands for the digest of a file that cannot be read."""
ENTRY = np.dtype([("metadata", np.uint64, METADATA), ("began", np.int64), ("digest", np.uint64, 2)])
"""What is kept of a file: its metadata, when its digest was about to be taken, and that."""


def content_of(files: ImageFiles, cache: Path, progress: ProgressCallback | None = None) -> list[tuple[str, str]]:
    """Name and digest of every image file, and the names of the other files.

    Members of an archive are identified by the size and the CRC-32 that its directory holds, and are not unpacked.

    Args:
        files: What is identified.
        cache: Folder in which digests are kept.
        progress: Told "read", and how many files of how many have been read, where there are many.
    """
    if files.identity:
        return [*files.identity]
    others = [(name, "") for name in files.others]
    if not files.root.is_dir():
        return [(name, ":".join(map(str, files.stamps[name]))) for name in files.names] + others
    paths = [os.path.join(files.root, name) for name in files.names]
    return [*zip(files.names, digests(paths, cache, progress), strict=True), *others]


def digests(paths: Sequence[str | Path], cache: Path, progress: ProgressCallback | None = None) -> list[str]:
    """Digest of the content of every file; those that their metadata show unchanged are not read again."""
    if not paths:
        return []
    names = [str(path) for path in paths]
    place = cache / "identities" / f"{key_of(str(Path(names[0]).parent), len(names) == 1 and names[0])}.npz"
    entries = _known(place, names)
    now = np.fromiter(map(_metadata, names), np.dtype((np.uint64, METADATA)), len(names))
    changed = np.flatnonzero(~_trusted(entries, now))
    began = time.time_ns()
    again = [names[row] for row in changed]
    for done, (row, found) in enumerate(
        zip(changed, on_all_cores(_digest, again, window=WINDOW), strict=True), start=1
    ):
        entries[row] = (_metadata(names[row]), began, np.frombuffer(found, np.uint64))
        if progress is not None and len(changed) >= 1000 and (done % 1000 == 0 or done == len(changed)):
            progress("read", done, len(changed))
    if len(changed):
        write_table(place, {"names": as_column(names), **{part: entries[part] for part in ENTRY.names or ()}})
    found = entries["digest"].tobytes()
    each = (found[start : start + DIGEST_BYTES] for start in range(0, len(found), DIGEST_BYTES))
    return [UNREADABLE if digest == NONE else digest.hex() for digest in each]


def _trusted(entries: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Whether each file is as it was when its digest was taken, and had not changed just then: (N,)."""
    changed = now[:, -2:].view(np.int64).max(1)
    taken = (entries["digest"] != 0).any(1)
    return taken & (entries["metadata"] == now).all(1) & (changed + RACY_NS <= entries["began"])


def _known(place: Path, names: Sequence[str]) -> np.ndarray:
    """Return what is known of each file: (N,) ENTRY, zeros where that is nothing."""
    entries, kept = np.zeros(len(names), ENTRY), read_table(place)
    try:
        there = of_column(kept["names"])
        rows = {name: row for row, name in enumerate(there)} if there != names else None
        for part in ENTRY.names or ():
            column = kept[part].astype(ENTRY[part].base, casting="safe")
            if rows is None:
                entries[part] = column
            else:
                known = [(new, rows[name]) for new, name in enumerate(names) if name in rows]
                new, old = np.array(known, int).reshape(-1, 2).T
                entries[part][new] = column[old]
    except (KeyError, ValueError, TypeError, IndexError, RecursionError):
        return np.zeros(len(names), ENTRY)
    return entries


def _metadata(name: str) -> tuple[int, ...]:
    """Return the metadata of a file as numbers of 64 bits; zeros where it is not there."""
    try:
        return tuple(value % 2**64 for value in metadata_of(name))
    except OSError:
        return (0,) * METADATA


def _digest(name: str) -> bytes:
    try:
        return bytes.fromhex(digest_of(name))
    except OSError:
        return NONE
