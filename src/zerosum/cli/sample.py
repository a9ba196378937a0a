"""`zerosum sample`: pictures from a trained run. What else can be set is what the recipe's `sample` takes."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Annotated, Any

import tyro
from PIL import Image
from pydantic import PositiveFloat, PositiveInt

from zerosum import kinds
from zerosum.cli import flags
from zerosum.cli.flags import chosen_among, run_among, value_of, with_controls
from zerosum.config import BaseConfig, Seed
from zerosum.errors import InputError
from zerosum.inference import sample
from zerosum.inference.controls import controls
from zerosum.inference.generate import generate
from zerosum.inference.results import results_in, tell_of_earlier
from zerosum.media.image_arrays import note_on_files
from zerosum.run.directory import Which
from zerosum.run.load import load, recipe_of
from zerosum.runtime.terminal import say, tell
from zerosum.tasks import GENERATE, require_task


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample(BaseConfig):
    """Make samples with a trained run, or a film of a walk among them."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""

    n: Annotated[PositiveInt, tyro.conf.arg(aliases=("-n",))] = 16
    """Samples to make; with --interpolate, the samples that the walk visits."""

    seed: Seed = 0
    """Start of the randomness; on a CPU the same seed makes the same samples."""

    out: Path | None = None
    """A folder for one file a sample, a .png for all in one picture, or a .npy or .tif for all in one file; with
    --interpolate a .gif, .mp4, or .png strip. By default beside the run's other pictures."""

    interpolate: bool = False
    """Walk from sample to sample and back to the first instead, along great circles of latent space."""

    frames: PositiveInt = 60
    """Frames of the walk."""

    seconds: PositiveFloat = 6.0
    """Length of the walk's film."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, or the best by the evaluations of `zerosum train --evaluate-every`."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Make samples and say where they are."""
    place = run_among(arguments)
    parser: type = Sample
    parameters: dict[str, inspect.Parameter] = {}
    if place is not None:
        kind = recipe_of(place, value_of(arguments, "--recipe"))
        require_task(kind, place, GENERATE)
        parameters = controls(kind)
        parser = with_controls(Sample, kind.sample, parameters)
    given: Any = flags.parse(parser, arguments, prog="zerosum sample").checked()
    out = given.out or given.run / "samples" / _name(given, parameters)
    _require_ending(out, (".gif", ".mp4", ".png") if given.interpolate else (".png", ".npy", ".tif", ".tiff", ""))
    recipe = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    chosen = chosen_among(given, controls(recipe))
    if given.interpolate:
        walk = sample.interpolate(recipe, corners=given.n, frames=given.frames, seed=given.seed, chosen=chosen)
        say(sample.write_walk(walk, out, kind=kinds.find(recipe.spec.kind), seconds=given.seconds))
        return
    before = results_in(out)
    samples = generate(recipe, given.n, given.seed, controls=chosen)
    metadata = {"Software": "zerosum", "run": str(given.run), "seed": str(given.seed)} | {
        k: str(v) for k, v in chosen.items()
    }
    kind = kinds.find(recipe.spec.kind)
    written = sample.write_samples(samples, out, kind=kind, metadata=metadata, spec=recipe.spec)
    for remark in (tell_of_earlier(out, before, written), note_on_files(len(samples), out, recipe.spec)):
        if remark is not None:
            tell(remark)
    say(written[0] if len(written) == 1 else out)
    hint = "; --out NAME.png puts all into one picture" * (len(written) > 1)
    tell(f"{len(samples)} samples in {len(written)} file{'s'[: len(written) != 1]}{hint}")


def _name(given: Any, parameters: dict[str, inspect.Parameter]) -> str:
    """Name results after all that decides them, so that other ones get another place: seed-0, seed-0-truncation-0.5."""
    chosen = [f"{name}-{value}" for name, value in chosen_among(given, parameters).items()]
    best = [] if given.checkpoint == "newest" else [given.checkpoint]
    kind, ending = ("walk", ".gif") if given.interpolate else ("seed", "")
    return re.sub(r"[^\w.=+-]+", "_", "-".join([kind, str(given.seed), *chosen, *best])) + ending


def _require_ending(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse a kind of file that cannot be written, before anything is computed."""
    if "" in endings and (out.is_dir() or out.suffix.lower() not in Image.registered_extensions()):
        return
    if out.suffix.lower() not in endings:
        known = " or ".join(ending or "a folder" for ending in endings)
        raise InputError(f"--out is {out}, and what is made here can be written as {known}.")
