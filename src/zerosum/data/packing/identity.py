"""Identity of files by their content.

Two files are the same if their content is, whatever they are called and whenever they were written. A digest is kept
in the cache beside the metadata under which it was taken (device, inode, size, times of change of content and inode):
while all of them stay, the file is not read again. As in git, a file that changed less than `RACY_NS` before it was
read is read again the next time, because a further change within one tick of the clock would not show.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from zerosum.data.packing.cache import key_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import StorageError
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.regular_files import digest_of, metadata_of
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores

RACY_NS = 2_000_000_000
WINDOW = 256
UNREADABLE = "unreadable"
Known = dict[str, list[int | str]]


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
    paths = [str(files.root / name) for name in files.names]
    return [*zip(files.names, digests(paths, cache, progress), strict=True), *others]


def digests(paths: Sequence[str | Path], cache: Path, progress: ProgressCallback | None = None) -> list[str]:
    """Digest of the content of every file; those that their metadata show unchanged are not read again."""
    if not paths:
        return []
    names = [str(path) for path in paths]
    place = cache / "identities" / f"{key_of(str(Path(names[0]).parent), len(names) == 1 and names[0])}.json"
    known = _read(place)
    metadata = [_metadata(name) for name in names]
    changed = [name for name, now in zip(names, metadata, strict=True) if not _trusted(known.get(name), now)]
    began = time.time_ns()
    for done, (name, found) in enumerate(
        zip(changed, on_all_cores(_digest, changed, window=WINDOW), strict=True), start=1
    ):
        known[name] = [*(_metadata(name) or ()), began, found]
        if progress is not None and len(changed) >= 1000 and (done % 1000 == 0 or done == len(changed)):
            progress("read", done, len(changed))
    result = [str(known[name][-1]) for name in names]
    if changed:
        _write(place, {name: known[name] for name in names if known[name][-1] != UNREADABLE})
    return result


def _trusted(entry: list[int | str] | None, now: tuple[int, ...] | None) -> bool:
    if entry is None or now is None or len(entry) != len(now) + 2:
        return False
    return tuple(entry[:-2]) == now and max(now[-2:]) + RACY_NS <= int(entry[-2])


def _metadata(name: str) -> tuple[int, ...] | None:
    try:
        return metadata_of(name)
    except OSError:
        return None


def _digest(name: str) -> str:
    try:
        return digest_of(name)
    except OSError:
        return UNREADABLE


def _read(place: Path) -> Known:
    try:
        found = json.loads(place.read_text())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _write(place: Path, known: Known) -> None:
    """Keep digests for the next time. A cache that cannot be written to, such as a shared one, only costs time."""
    try:
        with replacing(place) as partial:
            partial.write_text(json.dumps(known))
    except StorageError:
        return
