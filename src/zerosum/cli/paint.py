"""`zerosum paint`: images of a text by a trained run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import PositiveInt
from torch import Tensor

from zerosum import kinds
from zerosum.cli import flags
from zerosum.config import BaseConfig, Seed
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.exporting.painter_file import is_painter_file, read_painter
from zerosum.inference.paint import paint
from zerosum.inference.results import results_in, tell_of_earlier, words_for
from zerosum.inference.sample import write_samples
from zerosum.media.image_arrays import note_on_files
from zerosum.run.directory import Which
from zerosum.run.load import load, recipe_of
from zerosum.runtime.terminal import say, tell
from zerosum.tasks import PAINT, painter, require_task
from zerosum.text import counted, shown

LONGEST = 60
"""Characters of a text that a picture is named after."""


@dataclass(frozen=True, kw_only=True)
class Paint(BaseConfig):
    """Make images of a text with a trained run."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe stackgan` made, or a file that `zerosum export` wrote of it as
    .onnx."""

    text: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TEXT")]
    """What to paint, in quotes: a sentence such as those of the data."""

    n: Annotated[PositiveInt, tyro.conf.arg(aliases=("-n",))] = 8
    """Images to make."""

    seed: Seed = 0
    """Start of the randomness; on a CPU the same seed makes the same images."""

    out: Path | None = None
    """A folder for one file an image, a .png for all in one picture, or a .npy or .tif for all in one file. By default
    a picture in the folder painted of the run."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Paint, and say where the images are.

    Raises:
        InputError: the run does not paint, or there is no text.
    """
    given: Paint = flags.parse(Paint, arguments, prog="zerosum paint").checked()
    if not given.text.strip():
        raise InputError(f'The text is empty: say what to paint, as in zerosum paint {given.run} "a red circle".')
    images, spec, unknown = _from_file(given) if is_painter_file(given.run) else _from_run(given)
    if unknown:
        said = ", ".join(map(shown, unknown))
        tell(f"No caption that the run was trained on has {said}: painted from the rest of the text.")
    folder = given.run.parent if is_painter_file(given.run) else given.run
    out = given.out or folder / "painted" / f"{_name(given)}.png"
    before = results_in(out)
    metadata = {"Software": "zerosum", "run": str(given.run), "seed": str(given.seed), "text": given.text}
    written = write_samples(images, out, kind=kinds.find(spec.kind), metadata=metadata, spec=spec)
    for remark in (tell_of_earlier(out, before, written), note_on_files(len(images), out, spec)):
        if remark is not None:
            tell(remark)
    say(written[0] if len(written) == 1 else out)
    tell(f"{counted(len(images), 'image')} in {counted(len(written), 'file')}")


def _from_run(given: Paint) -> tuple[Tensor, Spec, list[str]]:
    """Return the images of a run, what they are, and the words of the text that it does not know."""
    require_task(recipe_of(given.run, given.recipe), given.run, PAINT)
    recipe = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    return paint(recipe, given.text, given.n, given.seed), recipe.spec, painter(recipe).unknown_words(given.text)


def _from_file(given: Paint) -> tuple[Tensor, Spec, list[str]]:
    """Return the same of an exported file.

    Raises:
        InputError: the file does not paint, or flags of runs are given.
    """
    if given.recipe is not None or given.checkpoint != "newest" or given.device not in ("auto", "cpu"):
        raise InputError(f"{given.run} is a file: leave out --recipe, --checkpoint and --device, which are of runs.")
    model = read_painter(given.run)
    return model.paint(given.text, given.n, given.seed), model.spec, model.reader.unknown(given.text)


def _name(given: Paint) -> str:
    """Name a picture after its text, its seed and its checkpoint; a text that is not told whole gets a digest."""
    plain = given.text.strip().casefold()
    text = re.sub(r"[^\w]+", "-", plain).strip("-")
    if not text or len(text) > LONGEST:
        digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = "-".join([text[:LONGEST].strip("-") or "text", digest])
    return "-".join([text, str(given.n), f"seed-{given.seed}", *words_for(given.checkpoint)])
