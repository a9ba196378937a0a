"""Packed data: decoded once, kept in the cache, mapped into memory from then on.

A pack is named by the content of what it was made of (`identity`), used only while its seal is whole (`seal`), and
swept when the cache outgrows its bound (`sweep`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from zerosum.data.packing.cache_files import storage_error
from zerosum.data.packing.encoded import EncodedRows, plan_from_json
from zerosum.data.packing.making import finish
from zerosum.data.packing.seal import is_sound
from zerosum.data.spec import Spec
from zerosum.errors import StorageError
from zerosum.runtime.untrusted_json import parse

FORMAT = 2
MADE_AGAIN = "The packed form in the cache was damaged, and was made again."


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
    return keys_of(*parts)()


def keys_of(*parts: object) -> Callable[..., str]:
    """Names of packs that have their first parts in common, which are long and are read once: `key_of(*parts, *more)`.

    >>> keys_of("a", 1)(2, "b") == key_of("a", 1, 2, "b")
    True
    """
    begun = hashlib.blake2b(json.dumps([FORMAT, *parts])[:-1].encode(), digest_size=16)

    def key(*more: object) -> str:
        whole = begun.copy()
        whole.update("".join(f", {json.dumps(part)}" for part in more).encode() + b"]")
        return whole.hexdigest()

    return key


def digest(samples: np.ndarray, labels: np.ndarray | None, spec: Spec) -> str:
    """Fingerprint of data that are small enough to be held in memory."""
    return finish(hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16), labels, spec)


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
