"""`zerosum translate`: images through a trained run. What else can be set is what the recipe's `translate` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from zerosum.cli import flags
from zerosum.cli.flags import chosen_among, run_among, with_controls
from zerosum.cli.image_command import tell
from zerosum.config import BaseConfig, Count, Whole
from zerosum.errors import InputError
from zerosum.inference.image_files import inputs_at, targets_for
from zerosum.inference.translate import Size, translate_files
from zerosum.inference.upscale import upscale_files
from zerosum.recipe import Recipe
from zerosum.run.load import load, recipe_of
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.tasks import TranslationRecipe, Upscaler, controls_of


@dataclass(frozen=True, kw_only=True)
class Translate(BaseConfig):
    """Translate an image, or a folder of images, with a trained run; names and sizes are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made with a recipe that translates."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images. Opacity is kept; 16 bits a channel become 8, and it says so."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp). By default the folder translated in the run."""

    size: Size | None = None
    """trained: each image is scaled to the size the model was trained at, and the result back to the image's own. own:
    the network runs at the image's own size, where it can do so. By default own for super-resolution, else trained."""

    batch: Count = 1
    """Images translated at once."""

    seed: Whole = 0
    """Start of the randomness; on a CPU the same seed, images and batch give the same results."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""


def run(arguments: list[str]) -> None:
    """Translate images and say where they are.

    Raises:
        InputError: nothing could be translated, or some images could not.
    """
    place = run_among(arguments)
    parser: type = Translate
    if place is not None:
        kind = _translating(recipe_of(place), place)
        parser = with_controls(Translate, kind.translate, controls_of(kind.translate))
    given: Any = flags.parse(parser, arguments, prog="zerosum translate").checked()
    files = inputs_at(given.input)
    single = given.input if len(files.names) == 1 and not given.input.is_dir() else None
    out = given.out or given.run / "translated"
    targets = targets_for(files, out, single=single)
    recipe = load(given.run, device=given.device)
    assert isinstance(recipe, TranslationRecipe)
    progress = make_progress()
    told = progress_callback(progress)
    try:
        if isinstance(recipe, Upscaler) and given.size != "trained":
            done = upscale_files(recipe, files, targets, progress=told)  # a window at a time: photographs are large
        else:
            done = translate_files(
                recipe,
                files,
                targets,
                size=given.size or "trained",
                batch=given.batch,
                seed=given.seed,
                chosen=chosen_among(given, controls_of(recipe.translate)),
                progress=told,
            )
    finally:
        progress.close()
    tell(done, files, out, did="translated")


def _translating(kind: type[Recipe], place: Path) -> type[TranslationRecipe]:
    if hasattr(kind, "complete"):
        raise InputError(f"{place} fills holes in images: zerosum inpaint {place} INPUT --mask MASK")
    if not issubclass(kind, TranslationRecipe):
        raise InputError(f"{place} does not translate images, it makes them from nothing: zerosum sample {place}")
    return kind
