"""`zerosum translate`: images through a trained run. What else can be set is what the recipe's `translate` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from pydantic import PositiveInt

from zerosum.cli import flags
from zerosum.cli.elsewhere import control_elsewhere
from zerosum.cli.flags import chosen_among, run_among, value_of, with_controls
from zerosum.cli.image_command import process_images
from zerosum.config import BaseConfig, Seed
from zerosum.data.sources.image_files import ImageFiles
from zerosum.inference.controls import controls
from zerosum.inference.image_files import ProcessedFiles
from zerosum.inference.pictures import Size
from zerosum.inference.translate import translate_files
from zerosum.inference.upscale import upscale_files
from zerosum.run.directory import Which
from zerosum.run.load import recipe_of
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import TRANSLATE, UPSCALE, TranslationRecipe, require_task


@dataclass(frozen=True, kw_only=True)
class Translate(BaseConfig):
    """Translate an image, or a folder of images, with a trained run; names and sizes are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made with a recipe that translates."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images. Opacity is kept; results have the bits of the run's data."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp). By default the folder translated in the run."""

    size: Size | None = None
    """trained: each image is scaled to the size the model was trained at, and the result back to the image's own. own:
    the network runs at the image's own size, where it can do so. By default own for super-resolution, else trained."""

    batch: PositiveInt = 1
    """Images translated at once."""

    seed: Seed = 0
    """Start of the randomness; on a CPU the same seed, images and batch give the same results."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Translate images and say where they are.

    Raises:
        InputError: nothing could be translated, or some images could not.
    """
    place = run_among(arguments)
    parser: type = Translate
    kind = None
    if place is not None:
        kind = recipe_of(place, value_of(arguments, "--recipe"))
        require_task(kind, place, TRANSLATE, UPSCALE)
        parser = with_controls(Translate, getattr(kind, kind.task.method), controls(kind))
    elsewhere = control_elsewhere(place, kind, (TRANSLATE, UPSCALE))
    given: Any = flags.parse(parser, arguments, prog="zerosum translate", elsewhere=elsewhere).checked()

    def process(
        recipe: TranslationRecipe, files: ImageFiles, targets: dict[str, Path], progress: ProgressCallback
    ) -> ProcessedFiles:
        if recipe.task is UPSCALE and given.size != "trained":
            return upscale_files(recipe, files, targets, progress=progress)  # a window at a time: photographs are large
        return translate_files(
            recipe,
            files,
            targets,
            size=given.size or "trained",
            batch=given.batch,
            seed=given.seed,
            chosen=chosen_among(given, controls(recipe)),
            progress=progress,
        )

    process_images(given, process, folder="translated", did="translated")
