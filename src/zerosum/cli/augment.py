"""`zerosum augment`: balance the classes of labelled images with generated ones, and measure what that gains."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import NonNegativeInt, PositiveInt

from zerosum import kinds
from zerosum.cli import flags
from zerosum.config import BaseConfig, Seed
from zerosum.data.batch import as_uint8
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.augment import Gain, Plan, generated, measure, plan, refuse_unfit, write
from zerosum.evaluation.probes.labelled_images import LabelledImages, labelled
from zerosum.kinds import open_data
from zerosum.metrics.repeats import RepeatedResult
from zerosum.recipe import Recipe
from zerosum.report.augment import augment_page
from zerosum.run.config import read_config
from zerosum.run.directory import Run, Which
from zerosum.run.load import load_with_round, recipe_of
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.device import pick_device
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say, tell
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import AGE, GENERATE, require_task
from zerosum.text import counted


@dataclass(frozen=True, kw_only=True)
class Augment(BaseConfig):
    """Balance the classes of labelled images with generated ones, and measure on held-out images what that gains.

    The generated images go into a new folder, in a folder for each class, without the originals.
    """

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """The labelled images, as for `zerosum train`."""

    with_: Annotated[Path, tyro.conf.arg(name="with")]
    """The run directory of a conditional recipe, trained on the same classes."""

    out: Path
    """A folder that is empty, or not there yet."""

    to: PositiveInt | None = None
    """Images that each class is to have; by default as many as the largest has."""

    held_out: Path | None = None
    """Labelled images that neither the run nor the classifiers learn from; by default the split test or val of DATA."""

    labels: str | None = None
    """Where labels are read from, as for `zerosum train`."""

    ages: str | None = None
    """Ages as classes, as for `zerosum train`."""

    groups: str | None = None
    """Groups of ages, as for `zerosum train`."""

    split: str = "train"
    """The split of DATA whose classes are balanced."""

    repeats: PositiveInt = 5
    """Classifiers trained of each sort, 5 or more."""

    seen: NonNegativeInt = 30_000
    """Images that each classifier sees in training, however few are different."""

    seed: Seed = 0
    """Start of the randomness."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    cache: str | None = None
    """Folder for packed data, as for `zerosum train`."""

    device: str = "auto"
    """Where to generate: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Generate what classes miss, write it, and say what it gains."""
    given: Augment = flags.parse(Augment, arguments, prog="zerosum augment").checked()
    require_task(recipe_of(given.with_, given.recipe), given.with_, GENERATE, AGE)
    if given.out.exists() and (not given.out.is_dir() or any(given.out.iterdir())):
        raise InputError(f"{given.out} exists and is not an empty folder: name another one with --out.")
    directory = Run.open(given.with_)
    planned_run, device = read_config(directory, given.recipe), pick_device(given.device)
    model, round_ = load_with_round(directory, planned_run, device=device, checkpoint=given.checkpoint)
    checkpoint = directory.checkpoint(round_).name
    progress = make_progress()
    try:
        ways = progress_callback(progress)
        dataset, held_out = _opened(given, model, ways)
        real, test = labelled(dataset), labelled(held_out)
        planned = plan(real.labels, dataset.spec, to=given.to, seed=given.seed)
        images, labels = generated(model, planned, ways)
        made = LabelledImages(images=as_uint8(images), labels=labels)
        gain = measure(
            real,
            made,
            test,
            classes=len(dataset.spec.classes),
            repeats=given.repeats,
            seen=given.seen,
            seed=given.seed,
            progress=ways,
        )
    finally:
        progress.close()
    write(images, labels, given.out, model.spec, origin=f"{given.with_.absolute()} {checkpoint} {given.seed}")
    _report(given, model, planned, gain, made, checkpoint, dataset, held_out)


def _opened(given: Augment, model: Recipe, ways: ProgressCallback) -> tuple[SampleDataset, SampleDataset]:
    """Open the data, and those that are held out, at the size that the model generates.

    Raises:
        InputError: they have no classes or others than the model, or nothing is held out.
    """
    if not kinds.find(model.spec.kind).pictures:
        raise InputError(f"{given.with_} makes no images, and labelled images are augmented: give another run.")
    channels, height, width = model.spec.shape
    options = DataConfig(
        size=f"{height}x{width}",
        channels=channels,
        range=model.spec.range,
        labels=given.labels,
        ages=given.ages,
        groups=given.groups,
        split=given.split,
        cache=given.cache,
    )
    dataset = open_data(given.data, options=options, progress=ways)
    refuse_unfit(model, given.with_, dataset.spec.classes if dataset.labels is not None else (), given.data)
    if given.held_out is not None:
        held_out = open_data(given.held_out, options=replace(options, split="train"), progress=ways)
    else:
        splits = [name for name in kinds.HELD_OUT if name != given.split]
        found = next(kinds.open_splits((model.data[0],), given.data, splits, options=options, progress=ways), None)
        if found is None:
            raise InputError(
                f"{given.data} has no split test or val, and a gain is measured on images that nobody learned from: "
                "give some with --held-out FOLDER."
            )
        assert isinstance(found[1], SampleDataset)
        held_out = found[1]
    if held_out.spec.classes != dataset.spec.classes or held_out.labels is None:
        raise InputError(f"The held-out images of {held_out.source} have other classes than {given.data}: give others.")
    if held_out.fingerprint == dataset.fingerprint:
        raise InputError(f"{held_out.source} holds the same images as {given.data}: give others with --held-out.")
    return dataset, held_out


def _report(
    given: Augment,
    model: Recipe,
    planned: Plan,
    gain: Gain,
    made: LabelledImages,
    checkpoint: str,
    dataset: SampleDataset,
    held_out: SampleDataset,
) -> None:
    """Write augment.json and augment.html, and say what they say."""
    names = dataset.spec.classes
    table = {
        name: {"real": count, "generated": missing, "seed": seed}
        for name, count, missing, seed in zip(names, planned.counts, planned.missing, planned.seeds, strict=True)
    }
    content = {
        "data": dataset.source,
        "split": given.split,
        "held_out": held_out.source,
        "run": str(given.with_),
        "checkpoint": checkpoint,
        "seed": given.seed,
        "classes": table,
        "measured": "mean over classes of the accuracy on held-out images",
        "repeats": given.repeats,
        "seen": given.seen,
        "tested": gain.tested,
        "arms": {arm: asdict(found) for arm, found in gain.arms.items()},
        "gain": asdict(gain.gain),
        "gain_over_repeating": asdict(gain.over_repeating),
        "meaning": list(gain.meaning),
    }
    with replacing(given.out / "augment.json") as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    accuracies = {arm: _percent(found) for arm, found in gain.arms.items()}
    page = augment_page(
        given.out, data=dataset.source, run=given.with_, classes=table, accuracies=accuracies, gain=gain.meaning
    )
    with replacing(given.out / "augment.html") as partial:
        partial.write_text(page, encoding="utf-8")
    say(given.out)
    tell(f"{counted(len(made), 'image')} generated, none of the originals copied.")
    for sentence in gain.meaning:
        tell(sentence)


def _percent(found: RepeatedResult) -> str:
    low, high = found.interval.low, found.interval.high
    return f"{found.value:.1%} (95 % interval {low:.1%} to {high:.1%})"
