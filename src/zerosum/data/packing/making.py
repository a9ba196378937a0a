"""Packs in the making: rows go in as they are decoded, and the pack appears in the cache whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from zerosum.data.packing import begun_pack
from zerosum.data.packing.begun_pack import Begun
from zerosum.data.packing.cache_files import rename_new, storage_error, sweep_abandoned, to_disk
from zerosum.data.packing.decode import PixelFormat
from zerosum.data.packing.encoded import FILES, OFFSETS, plan_to_json
from zerosum.data.packing.levels import Levels
from zerosum.data.packing.rows import render
from zerosum.data.packing.seal import seal
from zerosum.data.packing.sweep import sweep
from zerosum.data.spec import Spec
from zerosum.runtime.thread_pool import cores, on_all_cores

PARTS = ("samples.npy", FILES, OFFSETS, "labels.npy", "pack.json")


NOTED_FILES, NOTED_BYTES = 2_000, 1 << 26
"""Source files, and bytes, after which it is noted how far a pack has come; a kill loses at most these."""


class Packing:
    """A pack in the making: rows go in as they are decoded, labels and notes at the end."""

    def __init__(
        self,
        folder: Path,
        shape: Sequence[int],
        bits: int,
        encoded: PixelFormat | None = None,
        files: Sequence[str] = (),
        *,
        resumable: bool = False,
    ) -> None:
        """Begin a pack of samples of `shape`, (H, W, C), and of 8 or 16 bits, in an existing folder.

        With `encoded`, what the samples become when they are decoded, it is one of encoded files. One that is
        `resumable` goes on behind what lies in the folder of `files`, the names of all source files in order.
        """
        self.folder, self.shape, self.count, self.encoded = folder, tuple(shape), 0, encoded
        self.dtype = np.dtype("<u2" if bits == 16 else "|u1")
        self.levels = Levels()
        self.rows: dict[str, int] = {}
        """Rows that each source file has given, by its name; without those that were skipped."""
        self._resumable, self._ended, self._unnoted_bytes = resumable, 0, 0
        self._offsets = [0]
        self._hash = hashlib.blake2b(digest_size=16)
        self._row_bytes = 0 if encoded is not None else math.prod(self.shape) * self.dtype.itemsize
        samples = "samples.npy" if encoded is None else FILES
        begun = begun_pack.read(folder, samples, self._row_bytes) if resumable else Begun()
        self.skipped = dict(begun.skipped)
        """Reasons by name of the source files that cannot be used."""
        self.left = tuple(files[len(begun.files) :])
        """Names of the source files that are still to be decoded."""
        self._noted, self._unnoted = len(begun.files), list[tuple[int, int]]()
        self._file = open(folder / samples, "r+b" if begun.count else "wb")  # noqa: SIM115  (by finish)
        self._write_header()
        self._go_on(files, begun)

    def end_file(self, name: str, problem: str | None = None) -> None:
        """Count a source file, all of whose rows were appended, or that has none because of a problem.

        If the pack is resumable, what is there is noted now and then, so that another process can go on behind it.

        Raises:
            StorageError: The disk refuses.
        """
        if problem is None:
            self.rows[name] = self.count - self._ended
        else:
            self.skipped[name] = problem
        size = 0 if self.encoded is None else self._offsets[-1] - self._offsets[self._ended]
        self._unnoted.append((self.count - self._ended, size))
        self._unnoted_bytes += size + (self.count - self._ended) * self._row_bytes
        self._ended = self.count
        if self._resumable and (len(self._unnoted) >= NOTED_FILES or self._unnoted_bytes >= NOTED_BYTES):
            to_disk(self._file)
            begun_pack.mark(self.folder, self._noted, self._unnoted, self.skipped)
            self._noted, self._unnoted, self._unnoted_bytes = self._noted + len(self._unnoted), [], 0

    def _go_on(self, files: Sequence[str], begun: Begun) -> None:
        """Go on behind the rows that are there; what follows them was not noted, and is made again."""
        there = zip(files, begun.files["rows"].tolist(), strict=False)
        self.rows = {name: rows for name, rows in there if name not in begun.skipped}
        self._offsets += np.cumsum(begun.files["size"][begun.files["rows"] > 0]).tolist()
        for row in self._stored(begun.count):
            self._hash.update(np.ascontiguousarray(row).data)
            self.levels.add(row)
        self.count = self._ended = begun.count
        self._file.truncate(self._file.tell())

    def _stored(self, count: int) -> Iterator[np.ndarray]:
        """Yield the first rows that are there, (1, H, W, C) each, and leave the file behind them."""
        if self.encoded is None:
            for _ in range(count):
                yield np.frombuffer(self._file.read(self._row_bytes), self.dtype).reshape(1, *self.shape)
            return
        contents = (self._file.read(end - start) for start, end in pairwise(self._offsets))
        decoded = on_all_cores(partial(_render, plan=self.encoded), contents, window=4 * cores())
        yield from (image[None] for image in decoded)

    def append(self, rows: np.ndarray, content: bytes = b"") -> None:
        """Add (n, H, W, C) uint8, or uint16 in a pack of 16 bits; to one of encoded files a row and its file."""
        data = np.ascontiguousarray(rows, dtype=self.dtype).data
        self._file.write(data if self.encoded is None else content)
        self._offsets.append(self._offsets[-1] + len(content))
        self._hash.update(data)
        self.levels.add(rows)
        self.count += len(rows)

    def names(self) -> list[str]:
        """Name the source file of every row."""
        return [name for name, rows in self.rows.items() for _ in range(rows)]

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
    files: Sequence[str] = (),
) -> Iterator[Packing]:
    """Make a pack that appears in the cache whole or not at all.

    Two processes may make the same pack at once: each writes a folder of its own, and the first to finish wins. With
    `files`, the names of its source files in the order of their rows, it keeps what `Packing.end_file` has noted, also
    where it is killed; its maker goes on with those that are `left`.

    Raises:
        StorageError: The cache cannot be written to, or the disk is full.
    """
    home = cache / "packed"
    scratch = claim = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        sweep_abandoned(home)
        claim = begun_pack.claimed(home, key) if files else None
        scratch = claim[0] if claim else Path(tempfile.mkdtemp(prefix=f".making-{key}-", dir=home))
        packing = Packing(scratch, shape, bits, encoded, files, resumable=claim is not None)
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
        if scratch is not None and not (claim and begun_pack.has_begun(scratch)):
            shutil.rmtree(scratch, ignore_errors=True)
        if claim is not None:
            os.close(claim[1])


def _render(content: bytes, plan: PixelFormat) -> np.ndarray:
    return render(io.BytesIO(content), plan)


def finish(begun: hashlib.blake2b, labels: np.ndarray | None, spec: Spec) -> str:
    """Return the fingerprint of data: the hash of their samples, begun before, of their labels and their form."""
    whole = begun.copy()
    whole.update(b"" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).data)
    named = [spec.attributes] if spec.attributes else []
    whole.update(json.dumps([spec.shape, spec.classes, *named]).encode())
    return whole.hexdigest()
