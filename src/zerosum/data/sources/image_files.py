"""The image files of a folder or of a zip archive, named alike and opened alike."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from zerosum.data.options import DataConfig
from zerosum.data.packing.decode import Unusable
from zerosum.errors import InputError, NoSuchSplit
from zerosum.text import counted

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev")
LARGEST_MEMBER_BYTES = 1 << 29


@dataclass(frozen=True, kw_only=True)
class ImageFiles:
    """Image files, by names relative to the folder or archive they lie in."""

    root: Path
    names: tuple[str, ...]
    """Names of the image files, with forward slashes, sorted."""

    others: tuple[str, ...]
    """Names of files that are no images: left out, but said so."""

    stamps: dict[str, tuple[int, int]]
    """Of every file its size in bytes and its time of change in nanoseconds (in an archive: its CRC-32)."""

    prefix: str = ""
    """Folder that all names start with: what remains of a name tells the class."""

    folders: tuple[str, ...] = ()
    """Names of the folders behind the prefix, in the chosen split or in any other."""

    open: Callable[[str], BinaryIO]
    """Open a file for reading, from any thread."""

    def inner(self, name: str) -> str:
        """The part of a name behind the prefix.

        >>> ImageFiles(root=Path(), names=(), others=(), stamps={}, prefix="train/", open=open).inner("train/cat/1.png")
        'cat/1.png'
        """
        return name[len(self.prefix) :]


def list_folder(folder: Path) -> ImageFiles:
    """List the image files of a folder and of the folders in it.

    Raises:
        InputError: The folder cannot be listed.
    """
    stamps = {}
    visited = set()
    try:
        for parent, folders, files in os.walk(folder, followlinks=True, onerror=_raise):
            status = os.stat(parent)
            if (status.st_dev, status.st_ino) in visited:  # a link that leads back up
                folders.clear()
                continue
            visited.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not _is_litter(name))
            inside = "" if parent == str(folder) else f"{os.path.relpath(parent, folder)}/".replace(os.sep, "/")
            for file in files:
                status = os.stat(os.path.join(parent, file))
                stamps[inside + file] = (status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror} ({error.filename}).") from error
    return _sorted(folder, stamps, lambda name: open(folder / name, "rb"))


def list_zip(path: Path) -> ImageFiles:
    """List the image files of a zip archive. Nothing is ever extracted to disk, so no name in it can do harm.

    Raises:
        InputError: The file is no zip archive, or is encrypted.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no zip archive that can be read ({error}).") from error
    members = {_shown(member): member for member in archive.infolist() if not member.is_dir()}
    if any(member.flag_bits & 1 for member in members.values()):
        raise InputError(f"{path} is encrypted: extract it and give the folder.")
    lock = threading.Lock()  # an archive counts its readers without one

    def read(name: str) -> BinaryIO:
        if members[name].file_size > LARGEST_MEMBER_BYTES:
            raise Unusable(f"would unpack to {members[name].file_size:,} bytes, more than is read from an archive")
        with lock:
            return BytesIO(archive.read(members[name]))

    return _sorted(path, {name: (member.file_size, member.CRC) for name, member in members.items()}, read)


def _shown(member: zipfile.ZipInfo) -> str:
    """Return a member's name: many programs write UTF-8 and leave away the flag that says so."""
    try:
        return member.filename if member.flag_bits & 0x800 else member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def choose_split(files: ImageFiles, options: DataConfig) -> ImageFiles:
    """Keep the files of one split, where the top folders are splits, and note what all names start with.

    Raises:
        InputError: There are no images, or not this split.
    """
    if not files.names:
        kinds = f" (it holds {', '.join(_suffixes(files.others))} files)" if files.others else ""
        raise InputError(
            f"{files.root} has no images{kinds}: expected {', '.join(suffix[1:] for suffix in SUFFIXES)} files, "
            "in folders or not."
        )
    names, prefix, found = files.names, "", False
    while True:
        tops = {name[len(prefix) :].partition("/")[0] for name in names}
        if any("/" not in name[len(prefix) :] for name in names):
            break
        if not found and tops <= set(SPLITS):
            if options.split not in tops:
                raise NoSuchSplit(
                    f"{files.root} has no split {options.split}: choose --split {' or '.join(sorted(tops))}."
                )
            prefix += f"{options.split}/"
            names = tuple(name for name in names if name.startswith(prefix))
            found = True
        elif len(tops) == 1:
            prefix += f"{tops.pop()}/"
        else:
            break
    if options.split != "train" and not found:
        raise NoSuchSplit(
            f"{files.root} has no split {options.split}: expected a folder of that name in it, or leave out --split."
        )
    depth = prefix.count("/")
    parts = [name.split("/") for name in files.names]
    folders = sorted({part[depth] for part in parts if len(part) > depth + 1})
    return replace(files, names=names, prefix=prefix, folders=tuple(folders))


def left_out(files: ImageFiles) -> tuple[str, ...]:
    """Say which files were left out because they are no images."""
    if not files.others:
        return ()
    kinds = ", ".join(_suffixes(files.others))
    return (f"Left out because no images: {counted(len(files.others), 'file')} ({kinds}).",)


def _sorted(root: Path, stamps: dict[str, tuple[int, int]], reader: Callable[[str], BinaryIO]) -> ImageFiles:
    kept = sorted(name for name in stamps if not any(_is_litter(part) for part in name.split("/")))
    images = tuple(name for name in kept if name.lower().endswith(SUFFIXES))
    others = tuple(name for name in kept if not name.lower().endswith(SUFFIXES))
    return ImageFiles(root=root, names=images, others=others, stamps={name: stamps[name] for name in kept}, open=reader)


def _is_litter(name: str) -> bool:
    """Whether this is what file managers leave behind: .DS_Store, ._photo.jpg, __MACOSX, Thumbs.db."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _suffixes(names: tuple[str, ...]) -> list[str]:
    return sorted({PurePosixPath(name).suffix.lower() or "suffix-less" for name in names})[:6]


def _raise(error: OSError) -> None:
    raise error
