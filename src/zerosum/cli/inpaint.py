"""`zerosum inpaint`: fill holes in images with a trained run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.cli.image_command import tell
from zerosum.config import BaseConfig, Count
from zerosum.errors import InputError
from zerosum.inference.image_files import inputs_at, targets_for
from zerosum.inference.inpaint import complete_files
from zerosum.run.load import load, recipe_of
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.tasks import Inpainter


@dataclass(frozen=True, kw_only=True)
class Inpaint(BaseConfig):
    """Fill holes in an image, or in a folder of images, with a trained run; names, sizes and known pixels are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe inpaint` made."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images. Opacity is kept; 16 bits a channel become 8, and it says so."""

    mask: Path
    """What to fill: white pixels (128 of 255 or lighter) are filled, darker and transparent ones are kept. An image
    file for all images, or a folder or .zip with a mask for each, by its name whatever the ending; of the same height
    and width as the image."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp; .jpg and .webp change known pixels a little). By default the folder inpainted in the run."""

    batch: Count = 1
    """Images filled at once."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""


def run(arguments: list[str]) -> None:
    """Fill holes and say where the results are.

    Raises:
        InputError: nothing could be filled, or some images could not.
    """
    given: Inpaint = flags.parse(Inpaint, arguments, prog="zerosum inpaint").checked()
    _require_filling(given.run)
    files = inputs_at(given.input)
    single = given.input if len(files.names) == 1 and not given.input.is_dir() else None
    out = given.out or given.run / "inpainted"
    targets = targets_for(files, out, single=single)
    recipe = load(given.run, device=given.device)
    assert isinstance(recipe, Inpainter)
    progress = make_progress()
    try:
        done = complete_files(
            recipe, files, given.mask, targets, batch=given.batch, progress=progress_callback(progress)
        )
    finally:
        progress.close()
    tell(done, files, out, did="filled")


def _require_filling(place: Path) -> None:
    if not hasattr(recipe_of(place), "complete"):
        raise InputError(f"{place} was not trained to fill holes: give a run of `zerosum train DATA --recipe inpaint`.")
