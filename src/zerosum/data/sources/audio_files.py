"""The sound files of a folder, of a zip archive, or one of its own."""

from __future__ import annotations

import itertools
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from zerosum.data.options import DataConfig
from zerosum.data.sources import tones
from zerosum.data.sources.archive import list_zip
from zerosum.data.sources.find import built_in
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_files import SUFFIXES as IMAGES
from zerosum.data.sources.image_files import ImageFiles, image_files, is_litter, suffixes
from zerosum.data.sources.label_table import label_bytes
from zerosum.data.sources.splits import choose_split
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular
from zerosum.text import counted

WAV = (".wav", ".wave")
EXTRA = (".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf")
"""Endings that need the extra `audio`."""
SUFFIXES = (*WAV, *EXTRA)
UNREAD = (".m4a", ".aac", ".wma", ".mp4", ".webm", ".mid", ".midi", ".amr", ".ape", ".wv")
LOOKED_AT = 512
"""Files of a folder whose endings are looked at, to know what it holds."""


def is_made(source: str | Path) -> bool:
    """Whether a source is the name of sounds that are made by rule."""
    return built_in(source) in tones.NAMES


def is_audio(source: str | Path) -> bool:
    """Whether a source is sounds: by its name, or because it holds more sound files than images.

    >>> is_audio("tones"), is_audio("song.FLAC"), is_audio("digits")
    (True, True, False)
    """
    if is_made(source):
        return True
    if str(source).lower().endswith(SUFFIXES):
        return True
    sounds, images = _counts(source)
    return sounds > images


def find_audio(source: str | Path, options: DataConfig) -> ImageFiles:
    """List the sound files of one split.

    Raises:
        InputError: there are none, no such split, or the place cannot be read.
    """
    path = absolute(source)
    if path.is_dir():
        files = list_folder(path)
    elif not path.is_file():
        raise InputError(f"There is no file or folder {path}: give a folder of WAV files, or tones.")
    elif path.suffix.lower() == ".zip":
        files = list_zip(path)
    elif path.suffix.lower() in SUFFIXES:
        files = _single(path)
    else:
        raise InputError(f"{path} is no sound file that is read: give {_known()}, a folder or .zip of them, or tones.")
    every = (*files.names, *files.others)
    names = tuple(sorted(name for name in every if name.lower().endswith(SUFFIXES)))
    others = tuple(sorted(set(every) - set(names)))
    files = replace(files, names=names, others=others, unit="sound")
    if not names:
        raise _nothing(files)
    chosen = choose_split(files, options)
    label_bytes(chosen, options)
    return chosen


def left_out(files: ImageFiles) -> tuple[str, ...]:
    """Say which files were left out because they are no sounds, and what to do about those that are not read."""
    others = [name for name in files.others if PurePosixPath(name).name != "dataset.json"]
    said = f"Left out because no sounds: {counted(len(others), 'file')} ({', '.join(suffixes(others))})."
    return (*files.notes, *((said, *_unread(others)) if others else ()))


def _nothing(files: ImageFiles) -> InputError:
    held = f" (it holds {', '.join(suffixes(files.others))} files)" if files.others else ", and is empty"
    hint = "".join(f" {sentence}" for sentence in _unread(files.others))
    return InputError(f"{files.root} has no sounds{held}: expected {_known()} files, in folders or not.{hint}")


def _unread(names: Iterable[str]) -> tuple[str, ...]:
    found = [name for name in names if name.lower().endswith(UNREAD)]
    if not found:
        return ()
    return (
        f"{counted(len(found), 'sound')} of a form that is not read ({', '.join(suffixes(found))}): convert to WAV.",
    )


def _known() -> str:
    return ", ".join(suffix[1:] for suffix in SUFFIXES if suffix not in (".wave", ".oga", ".aifc"))


def _counts(source: str | Path) -> tuple[int, int]:
    """Count the sounds and the images among the first files of a folder or a .zip."""
    try:
        path = absolute(source)
        names = _members(path) if path.suffix.lower() == ".zip" else _below(path)
        endings = Counter(PurePosixPath(name).suffix.lower() for name in itertools.islice(names, LOOKED_AT))
    except (OSError, InputError, zipfile.BadZipFile, ValueError):  # opening it says what is wrong
        return 0, 0
    return sum(endings[suffix] for suffix in SUFFIXES), sum(endings[suffix] for suffix in IMAGES)


def _single(path: Path) -> ImageFiles:
    status = path.stat()
    stamps = {path.name: (status.st_size, status.st_mtime_ns)}
    return image_files(path.parent, stamps, lambda name: open_regular(path.parent / name))


def _members(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        yield from (name for name in archive.namelist() if not is_litter(PurePosixPath(name).name))


def _below(path: Path) -> Iterator[str]:
    """Yield names of files in a folder and below it."""
    for _, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        yield from (name for name in files if not is_litter(name))
