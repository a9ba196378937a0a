"""`zerosum upscale`: larger images by a run of super-resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from zerosum.cli import flags
from zerosum.cli.image_command import tell
from zerosum.config import BaseConfig, Count
from zerosum.inference.image_files import inputs_at, targets_for
from zerosum.inference.upscale import TILE, require_upscaler, upscale_files
from zerosum.run.load import load
from zerosum.runtime.progress import make_progress, progress_callback


@dataclass(frozen=True, kw_only=True)
class Upscale(BaseConfig):
    """Make an image, or a folder of images, larger with a run of super-resolution; names are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe srgan` made."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images, of any sizes. Opacity is kept; 16 bits a channel become 8, and it
    says so."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp). By default the folder upscaled in the run."""

    tile: Count = TILE
    """Side, in pixels of an image, of what is made at once. Smaller takes less memory and more time, for the same
    result: there are no seams."""

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
    recipe = require_upscaler(load(given.run, recipe=given.recipe, device=given.device))
    files = inputs_at(given.input)
    single = given.input if len(files.names) == 1 and not given.input.is_dir() else None
    place = given.out or given.run / "upscaled"
    targets = targets_for(files, place, single=single)
    progress = make_progress()
    try:
        done = upscale_files(recipe, files, targets, tile=given.tile, progress=progress_callback(progress))
    finally:
        progress.close()
    tell(done, files, place, did="upscaled")
