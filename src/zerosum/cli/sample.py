"""`zerosum sample`: pictures from a trained run. What else can be set is what the recipe's `sample` takes."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from zerosum import kinds
from zerosum.cli import flags
from zerosum.cli.elsewhere import control_elsewhere
from zerosum.cli.flags import chosen_among, run_among, value_of, with_controls
from zerosum.config import BaseConfig, Seed, flag
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference import sample
from zerosum.inference.class_grid import class_grid
from zerosum.inference.controls import controls
from zerosum.inference.directions import COLUMNS, along, directions
from zerosum.inference.generate import generate
from zerosum.inference.latents import combined, read_latents, sample_at, truncates_latents
from zerosum.inference.results import (
    file_among,
    is_file_name,
    is_named_alike,
    name_for,
    results_in,
    tell_of_earlier,
    words_for,
)
from zerosum.kinds.base import Kind
from zerosum.media.image_arrays import note_on_files
from zerosum.media.video import require_pace
from zerosum.recipe import Recipe
from zerosum.run.config import read_spec
from zerosum.run.directory import Run, Which
from zerosum.run.load import load, recipe_of
from zerosum.runtime.paths import require_writable
from zerosum.runtime.terminal import say, tell
from zerosum.tasks import AGE, GENERATE, require_latents, require_task
from zerosum.text import counted, is_whole

WAYS = ("interpolate", "grid", "latent", "latent_file", "direction")
"""Flags of which each makes samples in another way."""

OF_A_WAY = {"strength": "direction", "frames": "interpolate", "seconds": "interpolate"}
"""Flags that are of use to one of them alone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample(BaseConfig):
    """Make samples with a trained run, or a film of a walk among them."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""

    n: Annotated[PositiveInt | None, tyro.conf.arg(aliases=("-n",))] = None
    """Samples to make, by default 16; with --interpolate, those that the walk visits; with --grid, those of a row (of
    more than 16 classes fewer); with --direction, the rows. With --latent it is one, with --latent-file all of them."""

    seed: Seed = 0
    """Start of the randomness; on a CPU the same seed makes the same samples."""

    out: Path | None = None
    """A folder for one file a sample, a .png for all in one picture, or a .npy, .tif, .tar or .parquet for all in one
    file; of clips also a .gif or .mp4 of all in motion; with --interpolate a .gif, .mp4, or .png strip. By default
    beside the run's other pictures."""

    grid: Literal["classes"] | None = None
    """classes: one picture with a row a class (or a row an attribute), the same latents in every row."""

    latent: str | None = None
    """Seeds with + and - between, such as 3-7+12: one sample at the sum of their latents, each that of the first sample
    of its seed. With a normal prior the sum is rescaled to the norm of its draws."""

    latent_file: Path | None = None
    """A .npy file of (N, Z) latents, as `zerosum invert` writes: a sample at each."""

    direction: str | None = None
    """list: print the directions in which samples change most, by their shares of the variance of the generator's first
    layer. A number of them, from 1: one picture with a row a sample, moved along it."""

    strength: PositiveFloat = 2.0
    """How far the rows of --direction go to both sides, in standard deviations."""

    interpolate: bool = False
    """Walk from sample to sample and back to the first instead, along great circles of latent space."""

    frames: PositiveInt = 60
    """Frames of the walk."""

    seconds: PositiveFloat = 6.0
    """Length of the walk's film."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Make samples and say where they are."""
    place = run_among(arguments)
    parser: type = Sample
    parameters: dict[str, inspect.Parameter] = {}
    kind: type[Recipe] | None = None
    endings: tuple[str, ...] = (".png", ".npy")
    if place is not None:
        kind = recipe_of(place, value_of(arguments, "--recipe"))
        require_task(kind, place, GENERATE, AGE)
        parameters = controls(kind)
        endings += kinds.find(read_spec(Run.open(place)).kind).endings
        parser = with_controls(Sample, kind.sample, parameters)
        if "label" not in parameters and value_of(arguments, "--label") is not None:
            raise InputError(
                f"--label needs a model that generates for labels, and {place} was trained without: leave it out."
            )
    elsewhere = control_elsewhere(place, kind, (GENERATE, AGE))
    given: Any = flags.parse(parser, arguments, prog="zerosum sample", elsewhere=elsewhere).checked()
    way = _way(given, arguments)
    given = given if given.n or way == "grid" else dataclasses.replace(given, n=16)
    pictures = {"interpolate": (".gif", ".mp4", ".png"), "grid": (".png",), "direction": (".png",)}
    out = given.out or given.run / "samples" / _name(given, parameters)
    _require_ending(out, pictures.get(way or "", (*endings, "")))
    if given.direction != "list":
        require_writable(out)
    if way == "interpolate":
        require_pace(out, given.seconds / given.frames)
    recipe = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    chosen = chosen_among(given, controls(recipe))
    made = kinds.find(recipe.spec.kind)
    metadata = {"Software": "zerosum", "run": str(given.run), "seed": str(given.seed)} | {
        name: str(value) for name, value in chosen.items()
    }
    if way == "interpolate":
        walk = sample.interpolate(recipe, corners=given.n, frames=given.frames, seed=given.seed, chosen=chosen)
        say(sample.write_walk(walk, out, kind=made, seconds=given.seconds))
    elif way == "grid":
        grid = class_grid(recipe, n=given.n, seed=given.seed, chosen=chosen)
        say(grid.write(out, metadata))
        tell(grid.described())
    elif way == "direction":
        _direction(given, recipe, out, chosen, metadata)
    else:
        samples = _samples(given, recipe, chosen)
        _write(samples, out, kind=made, metadata=metadata | _asked(given), spec=recipe.spec)


def _samples(given: Any, recipe: Recipe, chosen: Mapping[str, Any]) -> Tensor:
    """Generate samples at draws of the prior, or at the latents that are asked for."""
    if given.latent is None and given.latent_file is None:
        return generate(recipe, given.n, given.seed, controls=chosen)
    if truncates_latents(require_latents(recipe), chosen):
        name = "--latent-file" if given.latent is None else "--latent"
        raise InputError(
            f"--truncation bounds latents as they are drawn, and {name} gives them: leave out one of the two."
        )
    at = combined(recipe, given.latent) if given.latent is not None else read_latents(given.latent_file, recipe)
    return sample_at(recipe, at, seed=given.seed, chosen=chosen)


def _direction(given: Any, recipe: Recipe, out: Path, chosen: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Print the directions, or write rows of samples along one."""
    if given.direction != "list" and not is_whole(given.direction):
        raise InputError(f"--direction is {given.direction}: give list, or the number of a direction from 1.")
    if not (kind := kinds.find(recipe.spec.kind)).pictures:
        raise InputError(f"--direction is of images, and this model makes {kind.unit}: leave it out.")
    folder = given.run / "directions"
    found = directions(recipe, label=chosen.get("label"), seed=given.seed, folder=folder)
    if given.direction == "list":
        say(*(f"{number:3}  {share:6.1%}" for number, share in enumerate(found.explained.tolist(), start=1)))
        tell(f"Shares of the variance; see one by --direction 1 to {len(found.explained)}.")
        return
    number, strength = int(given.direction), given.strength
    rows = along(recipe, found, number, rows=given.n, strength=strength, seed=given.seed, chosen=chosen)
    names = [f"sample {row}" for row in range(given.n)]
    say(sample.write_rows(rows, out, rows=names, metadata={**metadata, **_asked(given), "strength": str(strength)}))
    tell(f"{counted(given.n, 'row')} of {COLUMNS}, from -{strength:g} to {strength:g} standard deviations.")


def _asked(given: Any) -> dict[str, str]:
    """Return what was asked for of latents, by name; a file goes by its name without the ending."""
    file = None if given.latent_file is None else given.latent_file.stem
    asked = {"latent": given.latent, "latent_file": file, "direction": given.direction}
    return {name: str(value) for name, value in asked.items() if value is not None}


def _write(samples: Tensor, out: Path, *, kind: Kind, metadata: Mapping[str, str], spec: Spec) -> None:
    """Write samples, and say where they are and how many."""
    before = results_in(out)
    written = sample.write_samples(samples, out, kind=kind, metadata=metadata, spec=spec)
    for remark in (tell_of_earlier(out, before, written), note_on_files(len(samples), out, spec)):
        if remark is not None:
            tell(remark)
    say(written[0] if len(written) == 1 else out)
    ending = ".png" if kind.pictures or not kind.endings else kind.endings[0]
    hint = f"; --out NAME{ending} puts all into one {'picture' if ending == '.png' else 'file'}" * (len(written) > 1)
    count, files = counted(len(samples), "sample"), counted(len(written), "file")
    tell(f"{count} in {files}{hint}")


def _way(given: Any, arguments: list[str]) -> str | None:
    """Return the flag that says how samples are made, or None for draws of the prior.

    Raises:
        InputError: there are two, or a flag that is of use to another one alone.
    """
    asked = [name for name in WAYS if getattr(given, name) not in (None, False)]
    if len(asked) > 1:
        raise InputError(f"{flag(asked[0])} and {flag(asked[1])} make different things: leave out one of the two.")
    way = asked[0] if asked else None
    for name, of in OF_A_WAY.items():
        if way != of and (typed := value_of(arguments, flag(name))) is not None:
            raise InputError(f"{flag(name)} {typed} is of use to {flag(of)} alone: give both or neither.")
    return way


def _name(given: Any, parameters: dict[str, inspect.Parameter]) -> str:
    """Name results after all that decides them, so that other ones get another place: seed-0, seed-0-truncation-0.5."""
    chosen = [f"{name}-{value}" for name, value in chosen_among(given, parameters).items()]
    chosen += [f"{name}-{value}" for name, value in _asked(given).items()]
    chosen += [f"strength-{given.strength:g}"] if given.direction else []
    kind = "walk" if given.interpolate else "classes" if given.grid else "seed"
    ending = ".gif" if given.interpolate else ".png" if given.grid or given.direction else ""
    spec, label = read_spec(Run.open(given.run)), str(getattr(given, "label", ""))
    whole = "-".join([kind, str(given.seed), *chosen, *words_for(given.checkpoint)])
    return name_for(whole, digest=is_named_alike(label, spec.classes or spec.attributes)) + ending


def _require_ending(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse a kind of file that cannot be written, before anything is computed."""
    if file := file_among(out.parents):
        raise InputError(f"--out is {out}, and {file} is a file: name a folder in its place.")
    if "" in endings and (out.is_dir() or not (out.exists() or is_file_name(out))):
        return
    if out.suffix.lower() not in endings:
        known = " or ".join(ending or "a folder" for ending in endings)
        there = ", which is there and is no folder" if out.exists() and "" in endings else ""
        raise InputError(f"--out is {out}{there}, and what is made here can be written as {known}.")
