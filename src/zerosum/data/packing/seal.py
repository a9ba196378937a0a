"""Seals of cached files: a file of the cache is used only if it is byte for byte what was written there.

A seal lies beside the files that it covers and holds of each its digest and its metadata. While the metadata stay, the
file is trusted; where they differ, because it was written to or the cache was copied, its digest decides.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from zerosum.errors import StorageError
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.regular_files import digest_of, metadata_of


def seal(place: Path, files: Sequence[Path]) -> None:
    """Write the seal of files that lie in the folder of `place`.

    Raises:
        OSError: The disk refuses.
    """
    place.write_text(json.dumps({file.name: [digest_of(file), *metadata_of(file)] for file in files}))


def is_sound(place: Path) -> bool:
    """Whether the files under a seal are what was written; it is marked as used now if they are.

    Raises:
        PermissionError: They may not be read.
    """
    try:
        sealed = json.loads(place.read_text())
        moved = False
        for name, (digest, *metadata) in sealed.items():
            file = place.parent / name
            if tuple(metadata) != metadata_of(file):
                if digest_of(file) != digest:
                    return False
                moved = True
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return False
    _mark(place, [place.parent / name for name in sealed] if moved else [])
    return bool(sealed)


def _mark(place: Path, moved: Sequence[Path]) -> None:
    """Renew the metadata of files that were found sound, and the time of use; a read-only cache stays as it is."""
    try:
        if moved:
            with replacing(place) as partial:
                seal(partial, moved)
        else:
            place.touch()
    except (OSError, StorageError):
        return
