"""`zerosum upscale`: larger images by a run of super-resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from pydantic import PositiveInt

from zerosum.cli import flags
from zerosum.cli.image_command import process_images
from zerosum.config import BaseConfig
from zerosum.inference.upscale import TILE, upscale_files
from zerosum.run.directory import Which
from zerosum.run.load import recipe_of
from zerosum.tasks import UPSCALE, require_task


@dataclass(frozen=True, kw_only=True)
class Upscale(BaseConfig):
    """Make an image, or a folder of images, larger with a run of super-resolution; names are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe srgan` made."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images, of any sizes. Opacity is kept; results have the bits of the
    run's data."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp). By default the folder upscaled in the run."""

    tile: PositiveInt = TILE
    """Side, in pixels of an image, of what is made at once. Smaller takes less memory and more time, for the same
    result: there are no seams."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Enlarge images and say where they are.

    Raises:
        InputError: nothing could be enlarged, or some images could not.
    """
    given: Any = flags.parse(Upscale, arguments, prog="zerosum upscale").checked()
    require_task(recipe_of(given.run, given.recipe), given.run, UPSCALE)
    process_images(
        given,
        lambda recipe, files, targets, progress: upscale_files(
            recipe, files, targets, tile=given.tile, progress=progress
        ),
        folder="upscaled",
        did="upscaled",
    )
