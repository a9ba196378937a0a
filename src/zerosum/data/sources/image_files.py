"""The image files of a folder or of a zip archive, named alike and opened alike.

What programs leave beside images is no data: hidden files and folders, thumbnails and bins of file managers, servers
and editors (`is_litter`), and the folders of runs, which hold run.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from zerosum.text import counted, listed

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif")
UNREAD = {
    ".heic": "HEIC",
    ".heif": "HEIF",
    ".avif": "AVIF",
    ".jxl": "JPEG XL",
    ".jp2": "JPEG 2000",
    ".psd": "Photoshop",
    ".svg": "SVG",
    ".dng": "raw",
    ".cr2": "raw",
    ".cr3": "raw",
    ".nef": "raw",
    ".arw": "raw",
    ".exr": "OpenEXR",
    ".dcm": "DICOM",
}
"""Forms of image that are not read, by ending."""

CAPTIONS_LEFT_OUT = "What may be captions is left aside: --recipe stackgan makes images from sentences."
"""What is said of files that are called as captions are, where images alone are read."""

LITTER = (
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "@eadir",
    "@recycle",
    "@recently-snapshot",
    "@tmp",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "lost.dir",
    "__pycache__",
)
UNSTAMPED = (0, 0)
"""Stands for what is not known of a file until its content is identified, on its own or by the shard it lies in."""
RUN = "run.json"
"""The file that makes a folder the folder of a run."""


@dataclass(frozen=True)
class OwnLabels:
    """Classes that came along with the images."""

    of: dict[str, str]
    """Name of the class by name of the image."""

    classes: tuple[str, ...]
    """Names of the classes, in the order of their numbers."""


@dataclass(frozen=True)
class OwnCaptions:
    """Captions that came along with the images."""

    place: str
    """Where they lie, for notes and errors."""

    read: Callable[[], dict[str, tuple[str, ...]]]
    """Return the captions by name of the image; none of images that have none."""


@dataclass(frozen=True, kw_only=True)
class ImageFiles:
    """Image files, by names relative to the folder or archive they lie in."""

    root: Path
    names: tuple[str, ...]
    """Names of the image files, with forward slashes, sorted."""

    others: tuple[str, ...]
    """Names of files that are no images: left out, but said so."""

    stamps: dict[str, tuple[int, int]]
    """All files by name: of those in a .zip the size in bytes and the CRC-32, of others zeros."""

    prefix: str = ""
    """Folder that all names start with: what remains of a name tells the class."""

    folders: tuple[str, ...] = ()
    """Names of the folders behind the prefix, in the chosen split or in any other."""

    open: Callable[[str], BinaryIO]
    """Open a file for reading, from any thread."""

    notes: tuple[str, ...] = ()
    """What was left out or chosen on the way here, one sentence each."""

    unit: str = "image"
    """What a file is called."""

    identity: tuple[tuple[str, str], ...] = ()
    """Of images in shards, the name of each shard and what identifies its content."""

    own: OwnLabels | None = None
    """Classes that came along in the shards."""

    captions: OwnCaptions | None = None
    """Captions that came along in the shards."""

    @property
    def place(self) -> str:
        """Where the files lie, for notes and errors: the folder within the root, or the root itself."""
        return self.prefix.rstrip("/") or str(self.root)

    def inner(self, name: str) -> str:
        """The part of a name behind the prefix.

        >>> ImageFiles(root=Path(), names=(), others=(), stamps={}, prefix="train/", open=open).inner("train/cat/1.png")
        'cat/1.png'
        """
        return name[len(self.prefix) :]


def image_files(
    root: Path,
    stamps: dict[str, tuple[int, int]],
    reader: Callable[[str], BinaryIO],
    notes: Iterable[str] = (),
    *,
    identity: tuple[tuple[str, str], ...] = (),
    own: OwnLabels | None = None,
    captions: OwnCaptions | None = None,
) -> ImageFiles:
    """Sort files into images and others, without litter and without the folders of runs.

    Args:
        root: The folder or archive.
        stamps: All files by name.
        reader: Opens one of them.
        notes: What was done on the way here.
        identity: Of shards, as `ImageFiles` has it.
        own: Classes that came along.
        captions: Captions that came along.
    """
    names = sorted(name for name in stamps if not any(is_litter(part) for part in name.split("/")))
    runs = tuple(name[: -len(RUN)] for name in names if name.endswith(f"/{RUN}"))
    kept = [name for name in names if not name.startswith(runs)] if runs else names
    said = [f"Left out because they are runs, not data: {listed([run.rstrip('/') for run in runs])}."] if runs else []
    return ImageFiles(
        root=root,
        names=tuple(name for name in kept if name.lower().endswith(SUFFIXES)),
        others=tuple(name for name in kept if not name.lower().endswith(SUFFIXES)),
        stamps={name: stamps[name] for name in kept},
        open=reader,
        notes=(*notes, *said),
        identity=identity,
        own=own,
        captions=captions,
    )


def left_out(files: ImageFiles) -> tuple[str, ...]:
    """Say which files were left out, and why."""
    others = [name for name in files.others if PurePosixPath(name).name != "dataset.json"]
    if not others:
        return files.notes
    said = f"Left out because no images: {counted(len(others), 'file')} ({', '.join(suffixes(others))})."
    return (*files.notes, said, *((CAPTIONS_LEFT_OUT,) if _captioned(files.names, others) else ()), *unread(others))


def _captioned(images: Iterable[str], others: Iterable[str]) -> bool:
    """Whether files besides images are called as captions are: captions.csv, metadata.jsonl, the .txt of an image."""
    stems = {str(PurePosixPath(name).with_suffix("")) for name in images}
    places = [PurePosixPath(name) for name in others]
    return any(
        p.stem in ("captions", "metadata") or (p.suffix == ".txt" and str(p.with_suffix("")) in stems) for p in places
    )


def unread(names: Iterable[str]) -> tuple[str, ...]:
    """Say which files are images of a form that is not read, and what to do about them."""
    kinds = [UNREAD[suffix] for name in names if (suffix := PurePosixPath(name).suffix.lower()) in UNREAD]
    if not kinds:
        return ()
    which = f"{counted(len(kinds), 'image')} of a form that is not read ({', '.join(sorted(set(kinds)))})"
    return (f"Left out: {which}; convert them to JPEG or PNG first.",)


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is what programs leave behind.

    >>> [is_litter(name) for name in (".DS_Store", "@eaDir", "Thumbs.db", "~$a.png", "cat")]
    [True, True, True, True, False]
    """
    return name.startswith((".", "~$")) or name.lower() in LITTER


def suffixes(names: Iterable[str]) -> list[str]:
    """The first few endings of some files."""
    return sorted({PurePosixPath(name).suffix.lower() or "suffix-less" for name in names})[:6]
