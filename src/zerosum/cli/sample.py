"""`zerosum sample`: pictures from a trained run. What else can be set is what the recipe's `sample` takes."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from zerosum import api, gallery
from zerosum.config import Count, Positive, Whole


@dataclasses.dataclass(frozen=True)
class Sample:
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
    place = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser = _with_controls(Path(place)) if place and not {"-h", "--help"} & set(arguments[:1]) else Sample
    given: Any = tyro.cli(parser, args=arguments, prog="zerosum sample")
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
    metadata = {"Software": "zerosum", "run": str(given.run), "seed": str(given.seed)} | {k: str(v) for k, v in chosen.items()}
    written = gallery.write_samples(samples, out, metadata=metadata)
    print(written[0] if len(written) == 1 else out)
    print(f"{len(samples)} samples in {len(written)} file{'s'[: len(written) != 1]}", file=sys.stderr)


def _with_controls(place: Path) -> type:
    """Add the controls of the run's recipe to the flags."""
    recipe = api.recipe_of(place)
    controls = [(name, p.annotation, dataclasses.field(default=p.default)) for name, p in gallery.controls(recipe).items()]
    return dataclasses.make_dataclass("Sample", controls, bases=(Sample,), frozen=True)
