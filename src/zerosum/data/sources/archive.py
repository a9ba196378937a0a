"""Listing a zip archive of images. Nothing is ever extracted to disk, so no name in it can do harm.

Names use slashes, also where a program of Windows wrote backslashes. Of members of one name the last counts, as it does
when an archive is extracted, and the notes say so.
"""

from __future__ import annotations

import contextlib
import threading
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.image_files import ImageFiles, image_files
from zerosum.errors import InputError
from zerosum.runtime.regular_files import open_regular
from zerosum.text import counted

LARGEST_MEMBER_BYTES = 1 << 29


def list_zip(path: Path) -> ImageFiles:
    """List the image files of a zip archive.

    Raises:
        InputError: The file is no zip archive, or is encrypted.
    """
    try:
        archive = zipfile.ZipFile(open_regular(path))
        listed = [(_name(member), member) for member in archive.infolist()]
    except Exception as error:  # a damaged directory raises almost anything
        raise InputError(f"{path} is no zip archive that can be read ({error}).") from error
    stored = [(name, member) for name, member in listed if not name.endswith("/")]
    members = dict(stored)
    if any(member.flag_bits & 1 for member in members.values()):
        raise InputError(f"{path} is encrypted: extract it and give the folder.")
    lock = threading.Lock()  # an archive counts its readers without one

    def read(name: str) -> BinaryIO:
        if members[name].file_size > LARGEST_MEMBER_BYTES:
            raise Unusable(f"would unpack to {members[name].file_size:,} bytes, more than is read from an archive")
        with lock:
            return BytesIO(archive.read(members[name]))

    stamps = {name: (member.file_size, member.CRC) for name, member in members.items()}
    return image_files(path, stamps, read, _repeated(stored))


def _repeated(stored: list[tuple[str, zipfile.ZipInfo]]) -> tuple[str, ...]:
    """Say which names occur more than once with different contents."""
    contents = Counter(name for name, _ in {(name, (member.file_size, member.CRC)) for name, member in stored})
    twice = [name for name, number in contents.items() if number > 1]
    if not twice:
        return ()
    return (
        f"{counted(len(twice), 'name')} in the archive stand for two files or more (such as {min(twice)}): of files of "
        "the same name the last counts, as when the archive is extracted.",
    )


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name with slashes: many programs write UTF-8 without the flag that says so, some write backslashes."""
    name = member.filename
    with contextlib.suppress(UnicodeError):
        name = name if member.flag_bits & 0x800 else name.encode("cp437").decode("utf-8")
    return name if "/" in name else name.replace("\\", "/")
