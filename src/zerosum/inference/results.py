"""Results among what was there before: replaced or left, but never mixed unsaid."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from zerosum.data.sources.audio_files import SUFFIXES, UNREAD
from zerosum.data.sources.clip_files import VIDEOS
from zerosum.run.directory import Which
from zerosum.text import counted

LONGEST = 160
"""Bytes of UTF-8 of a name that is made of what was asked for; a file system takes 255."""

SHAPES = (".binvox", ".off", ".obj", ".stl", ".glb", ".gltf", ".ply", ".fbx", ".3ds", ".vox")
PACKED = (".npy", ".npz", ".zip", ".tar", ".parquet", ".csv", ".json", ".txt")


def file_among(places: Iterable[Path]) -> Path | None:
    """Return the first of some places that is there and is no folder; None where all are folders, or yet to be made."""
    return next((place for place in places if place.exists() and not place.is_dir()), None)


def words_for(which: Which) -> list[str]:
    """Return what a file of results is named after, beside its seed: nothing, best or round-5000."""
    if which == "newest":
        return []
    return ["best"] if which == "best" else [f"round-{which}"]


def is_file_name(place: Path) -> bool:
    """Whether a name ends as files of images, sounds, videos, shapes, arrays or archives do: no folder is meant.

    >>> is_file_name(Path("bells.MP3")), is_file_name(Path("chairs.ply")), is_file_name(Path("runs.v2"))
    (True, True, False)
    """
    return place.suffix.lower() in (*Image.registered_extensions(), *SUFFIXES, *UNREAD, *VIDEOS, *SHAPES, *PACKED)


def name_for(whole: str, *, digest: bool = False) -> str:
    """Name results after what was asked for: of what is no letter, digit or . = + - each run becomes _.

    A name that is too long is cut, and ends in a digest of the whole; so does one that has to be told from others.

    >>> name_for("seed-0-label-ankle boot"), name_for("seed-0-label-a b", digest=True)
    ('seed-0-label-ankle_boot', 'seed-0-label-a_b-0f6a7df5')
    """
    plain = _plain(whole)
    cut = plain.encode("utf-8", "surrogatepass")[:LONGEST].decode("utf-8", "ignore")
    if cut == plain and not digest:
        return plain
    return f"{cut}-{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def is_named_alike(name: str, names: Iterable[str]) -> bool:
    """Whether files are named after a name as after another one of some names.

    >>> is_named_alike("a b", ["a b", "a_b"]), is_named_alike("a b", ["a b", "c"])
    (True, False)
    """
    return any(other != name and _plain(other) == _plain(name) for other in names)


def _plain(text: str) -> str:
    return re.sub(r"[^\w.=+-]+", "_", text)


def results_in(place: Path) -> frozenset[Path]:
    """Return the files in a folder and the folders in it; none where it is a file or is not there."""
    return frozenset(path.resolve() for path in place.rglob("*") if path.is_file()) if place.is_dir() else frozenset()


def tell_of_earlier(place: Path, before: frozenset[Path], written: Sequence[Path]) -> str | None:
    """Return a sentence where new results lie among earlier files, or have replaced some: they are never mixed unsaid.

    Args:
        place: the folder of the results.
        before: its files before, from `results_in`.
        written: the results.
    """
    replaced = len(before & {path.resolve() for path in written})
    left = len(before) - replaced
    said = [
        *([f"{counted(replaced, 'earlier file')} replaced"] if replaced else []),
        *([f"{counted(left, 'older file')} left beside the new ones"] if left else []),
    ]
    return f"{place} was not empty: {', '.join(said)}." if said else None
