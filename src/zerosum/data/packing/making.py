"""Packs in the making: rows go in as they are decoded, and the pack appears in the cache whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zerosum.data.packing import begun_pack
from zerosum.data.packing.begun_pack import Begun
from zerosum.data.packing.cache_files import rename_new, storage_error, sweep_abandoned, to_disk
from zerosum.data.packing.decode import PixelFormat
from zerosum.data.packing.encoded import FILES, OFFSETS, plan_to_json
from zerosum.data.packing.levels import Levels
from zerosum.data.packing.seal import seal
from zerosum.data.packing.sweep import sweep
from zerosum.data.spec import Spec

PARTS = ("samples.npy", FILES, OFFSETS, "labels.npy", "pack.json")


class Packing:
    """A pack in the making: rows go in as they are decoded, labels and notes at the end."""

    def __init__(
        self,
        folder: Path,
        shape: Sequence[int],
        bits: int,
        encoded: PixelFormat | None = None,
        *,
        resumable: bool = False,
    ) -> None:
        """Begin a pack of samples of `shape`, (H, W, C), and of 8 or 16 bits, in an existing folder.

        With `encoded`, what the samples become when they are decoded, it is one of encoded files. One that is
        `resumable` goes on behind what lies in the folder.
        """
        self.folder, self.shape, self.count, self.encoded = folder, tuple(shape), 0, encoded
        self.resumable = resumable
        self._offsets = [0]
        self.dtype = np.dtype("<u2" if bits == 16 else "|u1")
        self.levels = Levels()
        self._hash = hashlib.blake2b(digest_size=16)
        self.begun = begun_pack.read(folder) if resumable else Begun()
        mode = "r+b" if self.begun.count else "wb"
        self._file = open(folder / ("samples.npy" if encoded is None else FILES), mode)  # noqa: SIM115  (by finish)
        self._write_header()
        self._go_on()

    def mark(self, done: int, skipped: Mapping[str, str]) -> None:
        """Note that the rows of `done` files are there, so that another process can go on behind them.

        Raises:
            StorageError: The disk refuses.
        """
        to_disk(self._file)
        begun_pack.mark(self.folder, Begun(done, self.count, skipped))

    def _go_on(self) -> None:
        """Go on behind the rows that are there; what follows them was not noted, and is made again."""
        size = math.prod(self.shape) * self.dtype.itemsize
        for _ in range(self.begun.count):
            row = np.frombuffer(self._file.read(size), self.dtype).reshape(1, *self.shape)
            self._hash.update(row.data)
            self.levels.add(row)
        self.count = self.begun.count
        self._file.truncate(self._file.tell())

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
            "fingerprint": finish(self._hash, labels, spec),
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
    cache: Path,
    key: str,
    shape: Sequence[int],
    bits: int = 8,
    encoded: PixelFormat | None = None,
    *,
    resumable: bool = False,
) -> Iterator[Packing]:
    """Make a pack that appears in the cache whole or not at all.

    Two processes may make the same pack at once: each writes a folder of its own, and the first to finish wins. One
    that is `resumable` keeps what `Packing.mark` has noted, also where it is killed; its maker goes on behind `begun`.

    Raises:
        StorageError: The cache cannot be written to, or the disk is full.
    """
    home = cache / "packed"
    scratch = claim = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        sweep_abandoned(home)
        claim = begun_pack.claimed(home, key) if resumable else None
        scratch = claim[0] if claim else Path(tempfile.mkdtemp(prefix=f".making-{key}-", dir=home))
        packing = Packing(scratch, shape, bits, encoded, resumable=claim is not None)
        try:
            yield packing
        finally:
            packing.close()
        scratch.chmod(0o755)
        begun_pack.settle(scratch)
        rename_new(scratch, home / key)
        sweep(cache)
    except OSError as error:
        raise storage_error(cache, error) from error
    finally:
        if scratch is not None and not (claim and begun_pack.read(scratch).count):
            shutil.rmtree(scratch, ignore_errors=True)
        if claim is not None:
            os.close(claim[1])


def finish(begun: hashlib.blake2b, labels: np.ndarray | None, spec: Spec) -> str:
    """Return the fingerprint of data: the hash of their samples, begun before, of their labels and their form."""
    whole = begun.copy()
    whole.update(b"" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).data)
    named = [spec.attributes] if spec.attributes else []
    whole.update(json.dumps([spec.shape, spec.classes, *named]).encode())
    return whole.hexdigest()
