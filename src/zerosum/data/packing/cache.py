"""Packed data: decoded once, kept in the cache, mapped into memory from then on.

A pack is named by the content of what it was made of (`identity`), used only while its seal is whole (`seal`), and
swept when the cache outgrows its bound (`sweep`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from zerosum.data.packing.cache_files import rename_new, storage_error, sweep_abandoned, to_disk
from zerosum.data.packing.decode import PixelFormat
from zerosum.data.packing.encoded import FILES, OFFSETS, EncodedRows, plan_from_json, plan_to_json
from zerosum.data.packing.levels import Levels
from zerosum.data.packing.seal import is_sound, seal
from zerosum.data.packing.sweep import sweep
from zerosum.data.spec import Spec
from zerosum.errors import StorageError
from zerosum.runtime.untrusted_json import parse

FORMAT = 2
MADE_AGAIN = "The packed form in the cache was damaged, and was made again."
PARTS = ("samples.npy", FILES, OFFSETS, "labels.npy", "pack.json")


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """What lies in one folder of the cache."""

    samples: np.ndarray
    """(M, H, W, C) uint8 or uint16, mapped into memory; writing to it would not reach the disk. Of a pack of encoded
    files, what stands for such an array: `EncodedRows`."""

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
        samples = _rows(folder, about)
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


def _rows(folder: Path, about: dict[str, Any]) -> np.ndarray:
    if "plan" in about:
        return cast(np.ndarray, EncodedRows(folder, plan_from_json(about["plan"])))
    return np.load(folder / "samples.npy", mmap_mode="c", allow_pickle=False)


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

    def __init__(self, folder: Path, shape: Sequence[int], bits: int, encoded: PixelFormat | None = None) -> None:
        """Begin a pack of samples of `shape`, (H, W, C), and of 8 or 16 bits, in an existing folder.

        With `encoded`, what the samples become when they are decoded, it is one of encoded files.
        """
        self.folder, self.shape, self.count, self.encoded = folder, tuple(shape), 0, encoded
        self._offsets = [0]
        self.dtype = np.dtype("<u2" if bits == 16 else "|u1")
        self.levels = Levels()
        self._hash = hashlib.blake2b(digest_size=16)
        self._file = open(folder / ("samples.npy" if encoded is None else FILES), "wb")  # noqa: SIM115  (by finish)
        self._write_header()

    def append(self, rows: np.ndarray, content: bytes = b"") -> None:
        """Add (n, H, W, C) uint8, or uint16 in a pack of 16 bits; to one of encoded files a row and its file."""
        data = np.ascontiguousarray(rows, dtype=self.dtype).data
        self._file.write(data if self.encoded is None else content)
        self._offsets.append(self._offsets[-1] + len(content))
        self._hash.update(data)
        self.levels.add(rows)
        self.count += len(rows)

    def finish(self, *, labels: np.ndarray | None, spec: Spec, notes: Sequence[str], source: str = "") -> None:
        """Write what is known only at the end, seal it, and see everything on to the disk."""
        self._file.seek(0)
        self._write_header()
        to_disk(self._file)
        self._file.close()
        if self.encoded is not None:
            with open(self.folder / OFFSETS, "wb") as file:
                np.save(file, np.array(self._offsets, np.int64), allow_pickle=False)
                to_disk(file)
        if labels is not None:
            with open(self.folder / "labels.npy", "wb") as file:
                np.save(file, labels.astype(np.int64), allow_pickle=False)
                to_disk(file)
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
        } | ({} if self.encoded is None else {"plan": plan_to_json(self.encoded)})
        with open(self.folder / "pack.json", "w") as file:
            json.dump(about, file, indent=1)
            to_disk(file)
        seal(self.folder / "seal.json", [self.folder / part for part in PARTS if (self.folder / part).exists()])

    def close(self) -> None:
        """Close the file of samples, finished or not."""
        self._file.close()

    def _write_header(self) -> None:
        if self.encoded is not None:
            return
        # The format leaves room for the first axis to grow, so the second header is as long as the first.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count, *self.shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def new_pack(
    cache: Path, key: str, shape: Sequence[int], bits: int = 8, encoded: PixelFormat | None = None
) -> Iterator[Packing]:
    """Make a pack that appears in the cache whole or not at all.

    Two processes may make the same pack at once: each writes a folder of its own, and the first to finish wins.

    Raises:
        StorageError: The cache cannot be written to, or the disk is full.
    """
    home = cache / "packed"
    scratch = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        sweep_abandoned(home)
        scratch = Path(tempfile.mkdtemp(prefix=f".making-{key}-", dir=home))
        packing = Packing(scratch, shape, bits, encoded)
        try:
            yield packing
        finally:
            packing.close()
        scratch.chmod(0o755)
        rename_new(scratch, home / key)
        sweep(cache)
    except OSError as error:
        raise storage_error(cache, error) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _finish(begun: hashlib.blake2b, labels: np.ndarray | None, spec: Spec) -> str:
    whole = begun.copy()
    whole.update(b"" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).data)
    named = [spec.attributes] if spec.attributes else []
    whole.update(json.dumps([spec.shape, spec.classes, *named]).encode())
    return whole.hexdigest()
