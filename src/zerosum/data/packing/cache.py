"""Packed data: decoded once, kept in the cache, mapped into memory from then on.

A pack is named by the content of what it was made of (`identity`), used only while its seal is whole (`seal`), and
swept when the cache outgrows its bound (`sweep`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np

from zerosum.data.packing.levels import Levels
from zerosum.data.packing.seal import is_sound, seal
from zerosum.data.packing.sweep import sweep
from zerosum.data.spec import Spec
from zerosum.errors import StorageError
from zerosum.runtime.untrusted_json import parse

FORMAT = 2
MADE_AGAIN = "The packed form in the cache was damaged, and was made again."
PARTS = ("samples.npy", "labels.npy", "pack.json")
STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """What lies in one folder of the cache."""

    samples: np.ndarray
    """(M, H, W, C) uint8 or uint16, mapped into memory; writing to it would not reach the disk."""

    labels: np.ndarray | None
    spec: Spec
    fingerprint: str
    notes: tuple[str, ...]


def key_of(*parts: object) -> str:
    """Name of a pack: the same for the same files and options, and only then.

    >>> key_of("a", 1) == key_of("a", 1), key_of("a", 1) == key_of("a", 2)
    (True, False)
    """
    return hashlib.blake2b(json.dumps([FORMAT, *parts]).encode(), digest_size=16).hexdigest()


def digest(samples: np.ndarray, labels: np.ndarray | None, spec: Spec) -> str:
    """Fingerprint of data that are small enough to be held in memory."""
    return _finish(hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16), labels, spec)


def reopen(cache: Path, key: str) -> Packed | None:
    """Map packed data into memory, or return None if there are none under this key, or damaged ones.

    Raises:
        StorageError: The pack may not be read.
    """
    folder = cache / "packed" / key
    try:
        if not is_sound(folder / "seal.json"):
            return None
        about = parse((folder / "pack.json").read_text())
        # Mapped copy-on-write: torch asks for writable memory, and the file stays as it is.
        samples = np.load(folder / "samples.npy", mmap_mode="c", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if about["labelled"] else None
        shape, classes, attributes = (tuple(about.get(name, ())) for name in ("shape", "classes", "attributes"))
        bits, limits = about.get("bits", 8), about["range"]
        other = {name: about[name] for name in ("kind", "rate") if name in about}
        spec = Spec(shape=shape, classes=classes, attributes=attributes, bits=bits, range=limits, **other)
        return Packed(
            samples=samples, labels=labels, spec=spec, fingerprint=about["fingerprint"], notes=tuple(about["notes"])
        )
    except FileNotFoundError:  # swept meanwhile by another process
        return None
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise StorageError(
            f"The packed data in {folder} cannot be read ({error}): delete that folder, or choose another cache with "
            "--cache or ZEROSUM_CACHE."
        ) from error


def discard(cache: Path, key: str) -> bool:
    """Remove the damaged pack under a key; return whether there was one.

    Raises:
        StorageError: It cannot be removed.
    """
    folder = cache / "packed" / key
    try:
        if not folder.exists():
            return False
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise storage_error(cache, error) from error
    return True


class Packing:
    """A pack in the making: rows go in as they are decoded, labels and notes at the end."""

    def __init__(self, folder: Path, shape: Sequence[int], bits: int) -> None:
        """Begin a pack of samples of `shape`, (H, W, C), and of 8 or 16 bits, in an existing folder."""
        self.folder, self.shape, self.count = folder, tuple(shape), 0
        self.dtype = np.dtype("<u2" if bits == 16 else "|u1")
        self.levels = Levels()
        self._hash = hashlib.blake2b(digest_size=16)
        self._file = open(folder / "samples.npy", "wb")  # noqa: SIM115  (closed by finish and by new_pack)
        self._write_header()

    def append(self, rows: np.ndarray) -> None:
        """Add (n, H, W, C) uint8, or uint16 in a pack of 16 bits."""
        data = np.ascontiguousarray(rows, dtype=self.dtype).data
        self._file.write(data)
        self._hash.update(data)
        self.levels.add(rows)
        self.count += len(rows)

    def finish(self, *, labels: np.ndarray | None, spec: Spec, notes: Sequence[str], source: str = "") -> None:
        """Write what is known only at the end, seal it, and see everything on to the disk."""
        self._file.seek(0)
        self._write_header()
        _to_disk(self._file)
        self._file.close()
        if labels is not None:
            with open(self.folder / "labels.npy", "wb") as file:
                np.save(file, labels.astype(np.int64), allow_pickle=False)
                _to_disk(file)
        about = {
            "labelled": labels is not None,
            **{
                name: getattr(spec, name)
                for name in ("shape", "classes", "attributes", "bits", "range", "kind", "rate")
            },
            "fingerprint": _finish(self._hash, labels, spec),
            "notes": list(notes),
            "source": source,
            "count": self.count,
        }
        with open(self.folder / "pack.json", "w") as file:
            json.dump(about, file, indent=1)
            _to_disk(file)
        seal(self.folder / "seal.json", [self.folder / part for part in PARTS if (self.folder / part).exists()])

    def close(self) -> None:
        """Close the file of samples, finished or not."""
        self._file.close()

    def _write_header(self) -> None:
        # The format leaves room for the first axis to grow, so the second header is as long as the first.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count, *self.shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def new_pack(cache: Path, key: str, shape: Sequence[int], bits: int = 8) -> Iterator[Packing]:
    """Make a pack that appears in the cache whole or not at all.

    Two processes may make the same pack at once: each writes a folder of its own, and the first to finish wins.

    Raises:
        StorageError: The cache cannot be written to, or the disk is full.
    """
    home = cache / "packed"
    scratch = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep_abandoned(home)
        scratch = Path(tempfile.mkdtemp(prefix=f".making-{key}-", dir=home))
        packing = Packing(scratch, shape, bits)
        try:
            yield packing
        finally:
            packing.close()
        scratch.chmod(0o755)
        _rename(scratch, home / key)
        sweep(cache)
    except OSError as error:
        raise storage_error(cache, error) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def storage_error(cache: Path, error: OSError) -> StorageError:
    """Say in a sentence why the cache cannot be written to."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        why = "the disk is full: make room"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        why = "writing there is not permitted: change that"
    else:
        why = f"{error.strerror or error}: repair that"
    return StorageError(f"Cannot store data in {cache}, {why}, or choose another folder with --cache or ZEROSUM_CACHE.")


def _rename(scratch: Path, final: Path) -> None:
    try:
        scratch.rename(final)
    except OSError:
        if not (final / "pack.json").exists():  # else another process was first, with the same content
            raise


def _sweep_abandoned(home: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for folder in home.glob(".making-*"):
        try:
            age_seconds = time.time() - max(entry.stat().st_mtime for entry in (folder, *folder.iterdir()))
        except OSError:  # another process has just finished with it
            continue
        if age_seconds > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _to_disk(file: BinaryIO | TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _finish(begun: hashlib.blake2b, labels: np.ndarray | None, spec: Spec) -> str:
    whole = begun.copy()
    whole.update(b"" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).data)
    named = [spec.attributes] if spec.attributes else []
    whole.update(json.dumps([spec.shape, spec.classes, *named]).encode())
    return whole.hexdigest()
