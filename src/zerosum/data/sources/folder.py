"""Listing a folder of images.

Links are followed, as often as they lie there, unless they lead back to a folder that holds them. Only regular files
are opened; a link that leads nowhere is one file that cannot be read.
"""

from __future__ import annotations

import os
from pathlib import Path

from zerosum.data.sources.image_files import RUN, UNSTAMPED, ImageFiles, image_files, is_litter
from zerosum.errors import InputError
from zerosum.runtime.regular_files import open_regular

MOST_VISITS = 1000
"""How often one folder may be entered by different links, before links among folders multiply beyond measure."""

Stamps = dict[str, tuple[int, int]]


def list_folder(folder: Path) -> ImageFiles:
    """List the image files of a folder and of the folders in it.

    Raises:
        InputError: The folder cannot be listed, or is the folder of a run.
    """
    _require_no_run(folder)
    stamps: Stamps = {}
    try:
        _walk(str(folder), "", (), stamps, {})
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror} ({error.filename}).") from error
    return image_files(folder, stamps, lambda name: open_regular(folder / name))


def _walk(
    folder: str,
    prefix: str,
    ancestors: tuple[tuple[int, int], ...],
    stamps: Stamps,
    visits: dict[tuple[int, int], int],
) -> None:
    """Name every file below a folder from the top; a link back to an ancestor is left out."""
    status = os.stat(folder)
    here = (status.st_dev, status.st_ino)
    if here in ancestors:
        return
    visits[here] = visits.get(here, 0) + 1
    if visits[here] > MOST_VISITS:
        raise InputError(f"{folder} is reached by more than {MOST_VISITS:,} ways of links: give a folder without them.")
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    if prefix and any(entry.name == RUN for entry in entries):
        stamps[f"{prefix}{RUN}"] = UNSTAMPED
        return
    for entry in entries:
        if is_litter(entry.name):
            continue
        if entry.is_dir():
            _walk(entry.path, f"{prefix}{entry.name}/", (*ancestors, here), stamps, visits)
        else:
            stamps[prefix + entry.name] = UNSTAMPED


def _require_no_run(folder: Path) -> None:
    """Refuse the folder of a run as data; a run.json of another program does not make one.

    Raises:
        InputError: It is one.
    """
    try:
        with open_regular(folder / RUN) as file:
            start = file.read(1 << 16)
    except OSError:
        return
    if b'"recipe"' in start and b'"data_options"' in start:
        raise InputError(
            f"{folder} is the folder of a run, not of data: give the data, or for samples of the run the folder that "
            "`zerosum sample` wrote."
        )
