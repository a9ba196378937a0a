"""What the commands that make image files from image files share: `zerosum translate`, `upscale` and `inpaint`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.image_files import ProcessedFiles, inputs_at, targets_for
from zerosum.inference.results import results_in, tell_of_earlier
from zerosum.run.directory import Which
from zerosum.run.load import load
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say, tell
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted, listed

Process = Callable[[Any, ImageFiles, dict[str, Path], ProgressCallback], ProcessedFiles]
"""Makes files by a recipe: from which files, where each goes, and what to call with the progress."""


class Given(Protocol):
    """What the user typed."""

    @property
    def run(self) -> Path:
        """The run directory."""
        ...

    @property
    def input(self) -> Path:
        """An image, or a folder or .zip of images."""
        ...

    @property
    def out(self) -> Path | None:
        """A folder or a file."""
        ...

    @property
    def recipe(self) -> str | None:
        """Where the recipe of the run is, if it is from outside."""
        ...

    @property
    def checkpoint(self) -> Which:
        """Which checkpoint of the run."""
        ...

    @property
    def device(self) -> str:
        """Where to compute."""
        ...


def process_images(given: Given, process: Process, *, folder: str, did: str) -> None:
    """Make image files from image files with a trained run, and print where they are.

    Args:
        given: what the user typed.
        process: what makes them.
        folder: in the run, for results where no place is given.
        did: "translated", "upscaled".

    Raises:
        InputError: no image, no place for a result, or some files were left out.
    """
    files = inputs_at(given.input)
    single = given.input if len(files.names) == 1 and not given.input.is_dir() else None
    out = given.out or given.run / folder
    targets = targets_for(files, out, single=single)
    before = results_in(out)
    recipe = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    progress = make_progress()
    try:
        done = process(recipe, files, targets, progress_callback(progress))
    finally:
        progress.close()
    _tell(done, files, out, before, did=did)


def _tell(done: ProcessedFiles, files: ImageFiles, place: Path, before: frozenset[Path], *, did: str) -> None:
    """Print where the results are, and on stderr what was done on the way.

    Args:
        done: what came of it.
        files: what was given.
        place: the file or folder that was written to.
        before: the files that were in it.
        did: "translated", "upscaled".

    Raises:
        InputError: some files were left out.
    """
    earlier = tell_of_earlier(place, before, done.written)
    for note in (*done.notes, *([] if earlier is None else [earlier])):
        tell(note)
    if done.written:
        say(done.written[0] if len(done.written) == 1 else place)
        tell(f"{counted(len(done.written), 'image')} {did}")
    if done.problems:
        said = listed([f"{name} {why}" for name, why in done.problems.items()], separator="; ")
        count, were = len(done.problems), "was" if len(done.problems) == 1 else "were"
        raise InputError(f"{count} of {counted(len(files.names), 'image')} {were} left out: {said}.")
