"""`zerosum inpaint`: fill holes in images with a trained run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import PositiveInt

from zerosum.cli import flags
from zerosum.cli.image_command import process_images
from zerosum.config import BaseConfig
from zerosum.inference.inpaint import complete_files
from zerosum.run.directory import Which
from zerosum.run.load import recipe_of
from zerosum.tasks import INPAINT, require_task


@dataclass(frozen=True, kw_only=True)
class Inpaint(BaseConfig):
    """Fill holes in an image, or in a folder of images, with a trained run; names, sizes and known pixels are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe inpaint` made."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images. Opacity is kept; results have the bits of the run's data."""

    mask: Path
    """What to fill: white pixels (128 of 255 or lighter) are filled, darker and transparent ones are kept. An image
    file for all images, or a folder or .zip with a mask for each, by its name whatever the ending; of the same height
    and width as the image."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp; .jpg and .webp change known pixels a little). By default the folder inpainted in the run."""

    batch: PositiveInt = 1
    """Images filled at once."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Fill holes and say where the results are.

    Raises:
        InputError: nothing could be filled, or some images could not.
    """
    given: Inpaint = flags.parse(Inpaint, arguments, prog="zerosum inpaint").checked()
    require_task(recipe_of(given.run, given.recipe), given.run, INPAINT)
    process_images(
        given,
        lambda recipe, files, targets, progress: complete_files(
            recipe, files, given.mask, targets, batch=given.batch, progress=progress
        ),
        folder="inpainted",
        did="filled",
    )
