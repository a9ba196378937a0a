"""The clips of a folder, of an archive or of one video: a video each, a strip of frames each, or a folder of frames.

Which of the three it is goes for all of the data: videos where there are any, else strips where an image is at least
four times as wide as high, else folders of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from zerosum.data.options import DataConfig
from zerosum.data.packing.open_image import open_image
from zerosum.data.sources import moving
from zerosum.data.sources.archive import list_zip
from zerosum.data.sources.find import built_in
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_files import SUFFIXES, ImageFiles, image_files
from zerosum.data.sources.label_table import label_bytes
from zerosum.data.sources.labels import natural
from zerosum.data.sources.splits import choose_split
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular

VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".3gp")
"""Endings of videos, which PyAV decodes."""

ANIMATIONS = (".gif", ".apng")
"""Endings of animations, which Pillow decodes."""

MAY_MOVE = (".webp", ".png")
"""Endings of images that may be animations."""

STRIP = 4
"""Frames from which a wide image is a strip of them."""

LOOKED_AT = 16
"""Images by which the form of data is told."""

Form = Literal["videos", "strips", "frames"]


@dataclass(frozen=True, kw_only=True)
class ClipFiles:
    """Clips by name, and the files that each is made of."""

    files: ImageFiles
    """Named by clips: files, or folders of frames."""

    form: Form
    members: dict[str, tuple[str, ...]]
    """Names of the files of each clip, the frames in natural order."""

    stored: ImageFiles
    """The files themselves."""


def is_video(name: str) -> bool:
    """Whether a file of this name is a video or an animation.

    >>> is_video("a.MP4"), is_video("a.gif"), is_video("a.png")
    (True, True, False)
    """
    return name.lower().endswith((*VIDEOS, *ANIMATIONS))


def find_clips(source: str | Path, options: DataConfig) -> ClipFiles:
    """Find the clips of a split.

    Raises:
        InputError: there are none, or not this split.
    """
    path = absolute(source)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}: give videos, strips of frames, or folders of frames.")
    listed = _listed(path)
    animated = _animated(listed)
    videos = [name for name in listed.names if is_video(name) or name in animated]
    if videos:
        rest = tuple(name for name in listed.names if not is_video(name) and name not in animated)
        files = choose_split(replace(listed, names=tuple(videos), others=(*listed.others, *rest)), options)
        return _checked(
            ClipFiles(files=files, form="videos", members={n: (n,) for n in files.names}, stored=files), options
        )
    if not listed.names:
        raise InputError(
            f"{path} has no clips: expected videos ({', '.join(ending[1:] for ending in VIDEOS[:5])}, gif, webp), "
            f"images that are strips of {STRIP} frames or more, or a folder of frames for each clip."
        )
    files = choose_split(listed, options)
    if are_strips(files):
        return _checked(
            ClipFiles(files=files, form="strips", members={n: (n,) for n in files.names}, stored=files), options
        )
    return _checked(_of_frames(files), options)


def is_clips(source: str | Path) -> bool:
    """Whether data are clips though nobody says so: made by rule, or videos for the most part, or strips alone.

    An animation may be meant as its first frame: it is a clip where a recipe of clips is named.
    """
    name = built_in(source)
    if name is not None:
        return name in moving.NAMES
    path = absolute(source)
    try:
        listed = _listed(path) if path.exists() else None
    except InputError:
        return False
    if listed is None or not listed.names:
        return False
    videos = sum(name.lower().endswith(VIDEOS) for name in listed.names)
    return 2 * videos > len(listed.names) or are_strips(listed, every=True)


def are_strips(files: ImageFiles, *, every: bool = False) -> bool:
    """Whether any of some images among all is at least four times as wide as high.

    With `every`, whether all are, and one at least is a row of whole squares: else they are wide images.
    """
    found = [_header(files, name) for name in _some(files.names)]
    sizes = [header.size for header in found if header is not None]
    wide = [width >= STRIP * height for width, height in sizes]
    if every:
        return bool(wide) and all(wide) and any(width % height == 0 for width, height in sizes)
    return any(wide)


def _animated(files: ImageFiles) -> set[str]:
    """Return the images with several frames whose endings do not say so, if one is among those that are looked at."""
    names = [name for name in files.names if name.lower().endswith(MAY_MOVE)]

    def moves(name: str) -> bool:
        header = _header(files, name)
        return header is not None and header.frames > 1

    return set(filter(moves, names)) if any(map(moves, _some(names))) else set()


@dataclass(frozen=True)
class _Header:
    """What the header of an image says."""

    size: tuple[int, int]
    """(W, H)."""
    frames: int


def _header(files: ImageFiles, name: str) -> _Header | None:
    """Read the header of an image; None where it cannot be opened, which reading the image says later."""
    try:
        with files.open(name) as file, open_image(file, header=True) as image:
            return _Header(image.size, getattr(image, "n_frames", 1))
    except Exception:  # decoders raise almost anything
        return None


def _some(names: Sequence[str]) -> Sequence[str]:
    """Return about `LOOKED_AT` names of many."""
    return names[:: max(1, len(names) // LOOKED_AT)]


def _listed(path: Path) -> ImageFiles:
    """List videos and images of a folder, an archive, or the one video that is named."""
    if path.is_dir():
        found = list_folder(path)
    elif path.name.lower().endswith(".zip"):
        found = list_zip(path)
    elif path.is_file() and path.name.lower().endswith((*VIDEOS, *ANIMATIONS, *MAY_MOVE)):
        status = path.stat()
        stamps = {path.name: (status.st_size, status.st_mtime_ns)}
        found = image_files(path.parent, stamps, lambda name: open_regular(path.parent / name))
        if not is_video(path.name) and not _animated(found):
            raise InputError(f"{path} is an image that does not move, and no clip: give a folder of frames or clips.")
    else:
        raise InputError(f"{path} is no clips: give a folder or .zip of videos, strips or frames, or one video.")
    every = sorted((*found.names, *found.others))
    names = tuple(name for name in every if name.lower().endswith((*VIDEOS, *SUFFIXES)))
    chosen = set(names)
    return replace(found, names=names, others=tuple(name for name in every if name not in chosen))


def _of_frames(files: ImageFiles) -> ClipFiles:
    """Take each folder of images for a clip; the folder above it is its class."""
    members: dict[str, list[str]] = {}
    for name in files.names:
        members.setdefault(str(PurePosixPath(name).parent), []).append(name)
    for names in members.values():
        names.sort(key=natural)
    prefix = files.prefix
    if len(members) == 1:  # the only folder is the clip, and no class
        prefix = "".join(f"{part}/" for part in PurePosixPath(next(iter(members))).parts[:-1])
    inner = [name[len(prefix) :] for name in members]
    classes = files.folders if any("/" in name for name in inner) else ()
    named = replace(files, names=tuple(sorted(members)), prefix=prefix, folders=classes)
    frames = {name: tuple(names) for name, names in members.items()}
    return ClipFiles(files=named, form="frames", members=frames, stored=files)


def _checked(clips: ClipFiles, options: DataConfig) -> ClipFiles:
    """See that a labels table is there before anything is decoded."""
    label_bytes(clips.files, options)
    return clips
