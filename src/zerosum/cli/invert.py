"""`zerosum invert`: the latent of a trained run whose sample is nearest to an image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from pydantic import NonNegativeInt
from torch import Tensor

from zerosum.cli import flags
from zerosum.cli.flags import run_among, typed, value_of
from zerosum.config import BaseConfig, Seed, flag
from zerosum.errors import InputError
from zerosum.evaluation.measures.perceptual import GIVE, load_backbone
from zerosum.inference.invert import Distance, Inversion, invert, read_target, squared_error
from zerosum.inference.latents import has_normal_prior, write_latent
from zerosum.inference.sample import write_rows
from zerosum.run.directory import Which
from zerosum.run.load import load, recipe_of
from zerosum.runtime.paths import require_writable
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say, tell
from zerosum.tasks import AGE, GENERATE, require_latents, require_task
from zerosum.text import command, number


@dataclass(frozen=True, kw_only=True)
class Invert(BaseConfig):
    """Find the latent of a run whose sample is nearest to an image, by gradient descent."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""

    image: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IMAGE")]
    """An image file. It is scaled to cover the size the model was trained at, and cut."""

    out: Path | None = None
    """A .png for the image beside the sample; the latent lies beside it, as .npy. By default NAME.png in the folder
    inverted of the run, or NAME-2.png and so on where the name is taken."""

    steps: NonNegativeInt = 500
    """Steps of Adam, from the nearest of 64 draws on."""

    loss: Literal["pixels", "lpips"] = "pixels"
    """What is minimised: the mean squared difference of pixels, or LPIPS, for which --perceptual is needed."""

    perceptual: str | None = None
    """The backbone of LPIPS: alex:WEIGHTS or vgg:WEIGHTS, as for `zerosum evaluate`."""

    perceptual_heads: str | None = None
    """The learned weights of LPIPS's channels, as for `zerosum evaluate`."""

    label: str | None = None
    """For a model with labels, that of the sample, as for `zerosum sample`; by default that of the nearest draw."""

    seed: Seed = 0
    """Start of the randomness; on a CPU the same seed finds the same latent."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Invert an image, and say how near the sample is and where it lies."""
    if (place := run_among(arguments)) is not None:
        require_task(recipe_of(place, value_of(arguments, "--recipe")), place, GENERATE, AGE)
    given: Invert = flags.parse(Invert, arguments, prog="zerosum invert").checked()
    out = given.out or given.run / "inverted" / f"{given.image.stem}.png"
    if given.image.exists() and out.exists() and out.samefile(given.image):
        raise InputError(f"--out {out} would be written over the image that is read: give another name.")
    if out.suffix.lower() != ".png" or out.is_dir():
        raise InputError(f"--out is {out}, and the image beside its sample is written as .png: give such a name.")
    require_writable(out)
    recipe = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    distance = _distance(given, recipe.device)
    target = read_target(given.image, recipe)
    progress = make_progress()
    try:
        found = invert(
            recipe,
            target,
            steps=given.steps,
            distance=distance,
            label=given.label,
            seed=given.seed,
            progress=progress_callback(progress),
        )
    finally:
        progress.close()
    out = out if given.out is not None else _untaken(out)  # only now, so that another process has its own name
    metadata = {"Software": "zerosum", "run": str(given.run), "image": str(given.image), "seed": str(given.seed)}
    say(write_rows(torch.cat([target, found.sample]), out, rows=("image and sample",), metadata=metadata))
    latent = write_latent(found.latent, out.with_suffix(".npy"))
    tell(_sentence(given, found) + (_norm(found.latent) if has_normal_prior(require_latents(recipe)) else ""))
    label = [] if found.label is None else typed("label", found.label)
    tell(f"The latent: {command('zerosum', 'sample', given.run, '--latent-file', latent, *label)}")


def _untaken(path: Path) -> Path:
    """Return a path beside which no earlier result lies: itself, or one with a number after its name."""
    names = itertools.chain([path.stem], (f"{path.stem}-{number}" for number in itertools.count(2)))
    return next(
        free
        for name in names
        if not (free := path.with_name(f"{name}.png")).exists() and not free.with_suffix(".npy").exists()
    )


def _distance(given: Invert, device: torch.device) -> Distance:
    """Return what is minimised."""
    if given.loss == "pixels":
        for name in ("perceptual", "perceptual_heads"):
            if (typed := getattr(given, name)) is not None:
                raise InputError(f"{flag(name)} {typed} is of use to --loss lpips alone: give both or neither.")
        return squared_error
    if given.perceptual is None:
        raise InputError(f"--loss lpips needs a backbone: {GIVE}.")
    return load_backbone(given.perceptual, given.perceptual_heads, device).with_gradient


def _sentence(given: Invert, found: Inversion) -> str:
    name = "mean squared difference" if given.loss == "pixels" else "LPIPS"
    label = "" if found.label is None else f", label {found.label}"
    return (
        f"PSNR {found.psnr:.1f} dB; {name} {number(found.distance)}, of the nearest draw {number(found.start)}{label}."
    )


def _norm(latent: Tensor) -> str:
    norm, size = float(latent.norm()), latent.shape[1]
    return f" The latent's norm is {number(norm)}, that of draws about {number(size**0.5)}."
