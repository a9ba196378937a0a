"""`zerosum sample`: pictures from a trained run. What else can be set is what the recipe's `sample` takes."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
import tyro

from zerosum import api, gallery
from zerosum.cli import flags
from zerosum.config import Count, Positive, Settings, Whole


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample(Settings):
    """Make samples with a trained run, or a film of a walk among them."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""

    n: Annotated[Count, tyro.conf.arg(aliases=("-n",))] = 16
    """Samples to make; with --interpolate, the samples that the walk visits."""

    seed: Whole = 0
    """Start of the randomness; on a CPU the same seed makes the same samples."""

    out: Path | None = None
    """A folder for one file a sample, or a .png for all in one picture; with --interpolate a .gif, .mp4, or .png strip.
    By default beside the run's other pictures."""

    interpolate: bool = False
    """Walk from sample to sample and back to the first instead, along great circles of latent space."""

    frames: Count = 60
    """Frames of the walk."""

    seconds: Positive = 6.0
    """Length of the walk's film."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""


def run(arguments: list[str]) -> None:
    """Make samples and say where they are."""
    place = _run_among(arguments)
    parser = Sample if place is None else _with_controls(place)
    given: Any = flags.parse(parser, arguments, prog="zerosum sample").checked()
    recipe = api.load(given.run, device=given.device)
    names = [name for name in gallery.controls(recipe) if getattr(given, name) is not None]
    chosen = {name: getattr(given, name) for name in names}
    if given.interpolate:
        out = given.out or given.run / "samples" / f"walk-{given.seed}.gif"
        walk = gallery.interpolate(recipe, corners=given.n, frames=given.frames, seed=given.seed, chosen=chosen)
        print(gallery.write_walk(walk, out, seconds=given.seconds))
        return
    out = given.out or given.run / "samples" / f"seed-{given.seed}"
    samples = gallery.generate(recipe, given.n, seed=given.seed, chosen=chosen)
    metadata = {"Software": "zerosum", "run": str(given.run), "seed": str(given.seed)} | {
        k: str(v) for k, v in chosen.items()
    }
    written = gallery.write_samples(samples, out, metadata=metadata)
    print(written[0] if len(written) == 1 else out)
    print(f"{len(samples)} samples in {len(written)} file{'s'[: len(written) != 1]}", file=sys.stderr)


def _run_among(arguments: list[str]) -> Path | None:
    """Find the run that is asked for, before its flags are known: the first run named, or the first word."""
    words = [Path(argument) for argument in arguments if not argument.startswith("-")]
    runs = [word for word in words if (word / "run.json").is_file()]
    return next(iter([*runs, *words]), None)


def _with_controls(place: Path) -> type:
    """Add the controls of the run's recipe to the flags, each with its line of the docstring of `sample` as help."""
    recipe = api.recipe_of(place)
    texts = {p.arg_name: p.description for p in docstring_parser.parse(recipe.sample.__doc__ or "").params}
    controls = [
        (name, Annotated[p.annotation, tyro.conf.arg(help=texts.get(name))], dataclasses.field(default=p.default))
        for name, p in gallery.controls(recipe).items()
    ]
    return dataclasses.make_dataclass("Sample", controls, bases=(Sample,), frozen=True, kw_only=True)
