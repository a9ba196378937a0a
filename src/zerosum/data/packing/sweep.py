"""The bound on the cache, and what lies in it.

Packs, features and digests of files are made again whenever they are needed, so the least recently used of them go once
all together outgrow the bound: the larger of 20 GB and a tenth of the disk, or $ZEROSUM_CACHE_GB. What was used within
an hour stays. Downloads and weights are never swept.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from zerosum.errors import InputError, StorageError
from zerosum.runtime.untrusted_json import parse
from zerosum.text import counted, memory

LEAST_BYTES = 20e9
SHARE_OF_DISK = 0.1
RECENT_SECONDS = 3600
MADE_AGAIN = ("packed", "features", "identities")
"""Folders of the cache whose content can be made again from the data."""


@dataclass(frozen=True, kw_only=True)
class CacheEntry:
    """One pack, file of features, or file of digests."""

    files: tuple[Path, ...]
    """A pack's folder; or a file, with its seal."""

    kind: str
    """Name of the folder of the cache that it lies in."""

    size: int
    """Bytes."""

    used: float
    """When it was last used, in seconds since the epoch."""


def entries(cache: Path) -> list[CacheEntry]:
    """What the cache holds that can be made again, least recently used first."""
    found = []
    for kind in MADE_AGAIN:
        try:
            paths = sorted((cache / kind).iterdir())
        except OSError:
            continue
        found += [entry for path in paths if (entry := _entry(path, kind)) is not None]
    return sorted(found, key=lambda entry: entry.used)


def sweep(cache: Path, *, bound: float | None = None, recent_seconds: float = RECENT_SECONDS) -> int:
    """Remove the least recently used entries until those that are left fit the bound; return the bytes freed.

    Args:
        cache: Folder of the cache.
        bound: Bytes that may stay; by default as the environment and the disk say.
        recent_seconds: Entries that were used within this time stay.
    """
    limit = bound_of(cache) if bound is None else bound
    there = entries(cache)
    left, freed = sum(entry.size for entry in there), 0
    for entry in there:
        if left <= limit or time.time() - entry.used < recent_seconds:
            break
        remove(entry)
        left, freed = left - entry.size, freed + entry.size
    return freed


def remove(entry: CacheEntry) -> None:
    """Delete an entry. A process that has it mapped into memory keeps it until it ends."""
    for path in entry.files:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def bound_of(cache: Path) -> float:
    """Bytes that the cache may hold.

    Raises:
        InputError: $ZEROSUM_CACHE_GB is no number of gigabytes.
    """
    asked = os.environ.get("ZEROSUM_CACHE_GB")
    if asked:
        try:
            return max(float(asked), 0) * 1e9
        except ValueError:
            raise InputError(f"ZEROSUM_CACHE_GB is {asked!r}: give a number of gigabytes, such as 50.") from None
    try:
        return max(LEAST_BYTES, SHARE_OF_DISK * shutil.disk_usage(cache).total)
    except OSError:
        return LEAST_BYTES


def describe_cache(cache: Path) -> list[str]:
    """What the cache holds, its sizes and its bound, one line each, most recently used first."""
    there = entries(cache)
    total = sum(entry.size for entry in there)
    lines = [f"{cache}: {memory(total)} in {len(there)} entries; above {memory(bound_of(cache))} the oldest go."]
    for entry in reversed(there):
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        lines.append(f"  {day}  {memory(entry.size):>9}  {entry.kind:<10}  {_about(entry)}")
    kept = _size(cache / "downloads")
    return [*lines, *([f"  Downloads and weights, which stay: {memory(kept)}"] if kept else [])]


def clear(cache: Path) -> str:
    """Remove everything that can be made again, and say how much that was.

    Raises:
        StorageError: Something could not be removed.
    """
    freed = sweep(cache, bound=-1, recent_seconds=-1)
    left = entries(cache)
    if left:
        raise StorageError(f"{left[0].files[0]} cannot be removed: see who owns it.")
    return f"Removed {memory(freed)} from {cache}."


def _entry(path: Path, kind: str) -> CacheEntry | None:
    """The entry that a file or folder begins; None for what belongs to another entry or is being made."""
    if path.name.startswith(".") or path.suffix == ".seal":
        return None
    seal = path / "seal.json" if path.is_dir() else path.with_suffix(".seal")
    files = (path,) if path.is_dir() or not seal.exists() else (path, seal)
    try:
        used = (seal if seal.exists() else path).stat().st_mtime
        return CacheEntry(files=files, kind=kind, size=sum(map(_size, files)), used=used)
    except OSError:  # removed meanwhile
        return None


def _size(path: Path) -> int:
    parts = path.rglob("*") if path.is_dir() else [path]
    return sum(part.stat().st_size for part in parts if part.is_file())


def _about(entry: CacheEntry) -> str:
    if entry.kind != "packed":
        return entry.files[0].stem
    try:
        about = parse((entry.files[0] / "pack.json").read_text())
        return (
            f"{counted(about['count'], 'sample')} of {'x'.join(map(str, about['shape']))} "
            f"from {about['source'] or 'an array'}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return entry.files[0].name
