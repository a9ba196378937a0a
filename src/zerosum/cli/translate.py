"""`zerosum translate`: images through a trained run. What else can be set is what the recipe's `translate` takes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from zerosum import api, live
from zerosum.cli import flags
from zerosum.cli.controls import chosen_among, run_among, with_controls
from zerosum.config import Count, Settings, Whole
from zerosum.controls import controls_of
from zerosum.data.words import counted, listed
from zerosum.errors import InputError
from zerosum.outputs import inputs_at, targets_for
from zerosum.recipe import Recipe, TranslationRecipe
from zerosum.translation import Size, translate_files


@dataclass(frozen=True, kw_only=True)
class Translate(Settings):
    """Translate an image, or a folder of images, with a trained run; names and sizes are kept."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made with a recipe that translates."""

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")]
    """An image file, or a folder or .zip of images. Opacity is kept; 16 bits a channel become 8, and it says so."""

    out: Path | None = None
    """A folder, which gets a .png for each image by its own name; or, for one image, a file (.png, .jpg, .webp, .tif,
    .bmp). By default the folder translated in the run."""

    size: Size = "trained"
    """trained: each image is scaled to the size the model was trained at, and the result back to the image's own. own:
    the network runs at the image's own size, where it can do so."""

    batch: Count = 8
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
        kind = _translating(api.recipe_of(place), place)
        parser = with_controls(Translate, kind.translate, controls_of(kind.translate))
    given: Any = flags.parse(parser, arguments, prog="zerosum translate").checked()
    files = inputs_at(given.input)
    single = given.input if len(files.names) == 1 and not given.input.is_dir() else None
    targets = targets_for(files, given.out or given.run / "translated", single=single)
    recipe = api.load(given.run, device=given.device)
    assert isinstance(recipe, TranslationRecipe)
    progress = live.choose()
    try:
        done = translate_files(
            recipe,
            files,
            targets,
            size=given.size,
            batch=given.batch,
            seed=given.seed,
            chosen=chosen_among(given, controls_of(recipe.translate)),
            progress=live.counting(progress),
        )
    finally:
        progress.close()
    for note in done.notes:
        print(note, file=sys.stderr)
    if done.written:
        print(done.written[0] if len(done.written) == 1 else given.out or given.run / "translated")
        print(f"{counted(len(done.written), 'image')} translated", file=sys.stderr)
    if done.problems:
        said = listed([f"{name} {why}" for name, why in done.problems.items()], separator="; ")
        raise InputError(f"{len(done.problems)} of {counted(len(files.names), 'image')} were left out: {said}.")


def _translating(kind: type[Recipe], place: Path) -> type[TranslationRecipe]:
    if not issubclass(kind, TranslationRecipe):
        raise InputError(f"{place} does not translate images, it makes them from nothing: zerosum sample {place}")
    return kind
