"""What a command that made files of files says of it."""

from __future__ import annotations

import sys
from pathlib import Path

from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.translate import Translated
from zerosum.text import counted, listed


def tell(done: Translated, files: ImageFiles, place: Path, *, did: str) -> None:
    """Print where the results are, and on stderr what was done on the way.

    Args:
        done: what came of it.
        files: what was given.
        place: the file or folder that was written to.
        did: "translated", "upscaled".

    Raises:
        InputError: some files were left out.
    """
    for note in done.notes:
        print(note, file=sys.stderr)
    if done.written:
        print(done.written[0] if len(done.written) == 1 else place)
        print(f"{counted(len(done.written), 'image')} {did}", file=sys.stderr)
    if done.problems:
        said = listed([f"{name} {why}" for name, why in done.problems.items()], separator="; ")
        count, were = len(done.problems), "was" if len(done.problems) == 1 else "were"
        raise InputError(f"{count} of {counted(len(files.names), 'image')} {were} left out: {said}.")
