"""`zerosum age`: faces at other ages, or images in other classes of an order, by a run of age_cgan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from pydantic import NonNegativeInt
from torch import Tensor

from zerosum import kinds
from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.inference.ageing import Aged, age, groups_asked, progress_of, read_images
from zerosum.inference.identity import Identity, classify_groups, identity
from zerosum.inference.results import results_in, tell_of_earlier
from zerosum.inference.sample import write_rows, write_samples
from zerosum.run.directory import Which
from zerosum.run.load import load, recipe_of
from zerosum.runtime.paths import require_writable
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say, tell
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import AGE, AgeingRecipe, require_task
from zerosum.text import counted, listed, number


@dataclass(frozen=True, kw_only=True)
class Age(BaseConfig):
    """Show an image, or each in a folder, in another class of an order, such as a face at another age."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train --recipe age_cgan` made."""

    image: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IMAGE")]
    """An image file, or a folder of them. Each is scaled to cover the size the model was trained at, and cut."""

    to: str
    """The group of the result, such as 60+, or all: a strip of the image, its reconstruction and every group."""

    from_: Annotated[str | None, tyro.conf.arg(name="from")] = None
    """The group that the image is of; by default a classifier of the run's data estimates it."""

    identity: str = "auto"
    """What is kept. classifier: trained once on the identities that the data have; families: trained once on generated
    images, needs no identities; pixels; inception, hf:NAME or other features of `zerosum evaluate`. auto: classifier
    where identities are known, else families."""

    identities: str | None = None
    """Identities of the run's images, which the classifier of identities learns: people.csv (columns file and label;
    people.csv:name names another column), folders, or name (the letters between the numbers of a file's name)."""

    iterations: NonNegativeInt = 50
    """Of the fit of the latent, at most; 0 takes the encoder's estimate."""

    out: Path | None = None
    """A .png for one image, or a folder, which gets a .png for each by its own name. By default the folder aged of the
    run."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Age images, and say where they are."""
    given: Age = flags.parse(Age, arguments, prog="zerosum age").checked()
    require_task(recipe_of(given.run, given.recipe), given.run, AGE)
    model: Any = load(given.run, recipe=given.recipe, device=given.device, checkpoint=given.checkpoint)
    to = groups_asked(model, given.to)
    source = None if given.from_ is None else int(model.labels_of(given.from_, 1, flag="from"))
    images = read_images(given.image, model)
    targets = _targets(given, list(images))
    out = given.out or given.run / "aged"
    require_writable(next(iter(targets.values())))
    before = results_in(out)
    progress = make_progress()
    try:
        ways = progress_callback(progress)
        kept = identity(
            given.run, model, given.identity, identities=given.identities, given_recipe=given.recipe, progress=ways
        )
        stack = torch.cat(list(images.values()))
        of = _groups(given, model, stack, source, ways)
        made = {}
        for done, (name, image) in enumerate(images.items(), start=1):
            made[name] = age(
                model, image, of=of[done - 1], to=to, embedding=kept.embedding, iterations=given.iterations
            )
            progress_of(ways, done, len(images))
    finally:
        progress.close()
    for name, aged in made.items():
        _write(given, aged, targets[name], model)
    if (remark := tell_of_earlier(out, before, list(targets.values()))) is not None:
        tell(remark)
    _tell(given, model, list(made.values()), targets, of, kept)


def _groups(given: Age, model: AgeingRecipe, images: Tensor, source: int | None, ways: ProgressCallback) -> list[int]:
    """Return the group of each image: that of --from, or the one that a classifier estimates."""
    if source is not None:
        return [source] * len(images)
    found, right = classify_groups(given.run, model, images, given_recipe=given.recipe, progress=ways)
    names = listed(sorted({model.spec.classes[group] for group in found.tolist()}), most=10)
    tell(f"Estimated group: {names} (by a classifier that is right on {right:.1%} of images it did not see; --from).")
    return found.tolist()


def _targets(given: Age, names: list[str]) -> dict[str, Path]:
    """Name the result of every image.

    Raises:
        InputError: several images would go to one file, or a file is no .png.
    """
    single = len(names) == 1 and not given.image.is_dir()
    out = given.out or given.run / "aged"
    if out.suffix and not out.is_dir():
        if out.suffix.lower() != ".png" or not single:
            raise InputError(f"--out is {out}: give a name that ends in .png for one image, or a folder.")
        return {names[0]: out}
    group = re.sub(r"[^\w+.-]", "_", given.to)
    targets = {name: out / f"{Path(name).with_suffix('')}-{group}.png" for name in names}
    if len(set(targets.values())) < len(names):
        raise InputError(f"Two images in {given.image} have one name but for the ending: rename one of them.")
    return targets


def _write(given: Age, aged: Aged, path: Path, model: AgeingRecipe) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Software": "zerosum", "run": str(given.run), "to": given.to}
    if len(aged.results) == 1:
        write_samples(aged.results, path, kind=kinds.find(model.spec.kind), metadata=metadata, spec=model.spec)
    else:
        strip = torch.cat([aged.image, aged.reconstruction, aged.results])
        write_rows(strip, path, rows=("image, reconstruction, groups",), metadata=metadata)


def _tell(
    given: Age, model: AgeingRecipe, made: list[Aged], targets: dict[str, Path], of: list[int], kept: Identity
) -> None:
    say(next(iter(targets.values())) if len(made) == 1 else (given.out or given.run / "aged"))
    if len(made[0].results) > 1:
        tell(f"From the left: the image, its reconstruction, then {', '.join(model.spec.classes)}.")
    start, end = (sum(getattr(one, name) for one in made) / len(made) for name in ("start", "distance"))
    mean = "Mean distance" if len(made) > 1 else "Distance"
    group = model.spec.classes[of[0]] if len(set(of)) == 1 else "groups of their own"
    tell(
        f"{kept.sentence} {mean} between image and reconstruction: {number(end)}, by the encoder alone "
        f"{number(start)}; {counted(len(made), 'image')}, from {group}."
    )
