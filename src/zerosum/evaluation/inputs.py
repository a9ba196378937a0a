"""What is evaluated: a run, whose samples are generated, or a folder of images; compared with real samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.data.sources.find import built_in, name_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.reference import extract_dataset, prepare
from zerosum.evaluation.rehearsal import Subject
from zerosum.evaluation.samples import KEPT, Comparison, Reference, SampleSet, raw
from zerosum.evaluation.splits import differing, find_splits, require_same_classes
from zerosum.features import extract
from zerosum.features.extractor import Extractor
from zerosum.inference.generate import draw_labels, finished, stream, translate
from zerosum.kinds.images import ImageDataset
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.runtime.paths import expanded
from zerosum.tasks import is_paired

COPIES_PASS = (
    "The run was trained on these real samples (split {split}), so copies of them would count as good ones: see "
    "authenticity, or compare it with a split test or val."
)
SEEN_BEFORE = (
    "The run was trained on the very sources that it is compared with (split {split}), so it does worse on new ones: "
    "compare it with a split test or val, or with other data by --against."
)


def of_run(recipe: Recipe, plan: RunConfig, config: EvaluationConfig, context: EvaluationContext) -> Comparison:
    """Compare samples of a trained recipe, or its translations of held-out sources, with real samples.

    Raises:
        InputError: The data asked for are not there or of another shape.
        StorageError: The cache cannot be written to.
    """
    if config.size is not None:
        raise InputError(f"--size {config.size} is for folders: a run makes its own size; leave it out.")
    reference = reference_for_run(plan, recipe.spec, config, context, subject=partial(_with_what_is_known, recipe))
    return compare_samples(recipe, reference, context)


def reference_for_run(
    plan: RunConfig,
    spec: Spec,
    config: EvaluationConfig,
    context: EvaluationContext,
    *,
    subject: Subject = lambda comparison: comparison,
) -> Reference:
    """Prepare the real samples that those of a run are compared with.

    Raises:
        InputError: The data asked for are not there or of another shape.
        StorageError: The cache cannot be written to.
    """
    kind = plan.recipe_class
    made, from_nothing = kinds.find(spec.kind), kind.task.given == "nothing"
    if config.fake_count is not None and not from_nothing:
        raise InputError("--fake-count is for runs that make samples from nothing: this one has one for each source.")
    if config.against is not None and not made.accepts(config.against):
        raise InputError(f"The run makes {made.unit}, and {config.against} is of another kind: give data of that kind.")
    own = config.against is None or name_of(config.against) == name_of(plan.data)
    options = plan.options if own else _options_elsewhere(plan.options)
    splits = find_splits(
        kind.data,
        plan.data if own else str(config.against),
        made.like(spec, options),
        split=config.split,
        progress=context.progress,
        world=context.world,
    )
    if (apart := differing(splits.real.dataset.spec, spec)) is not None:
        unit, theirs, ours = apart
        raise InputError(
            f"The run has {unit} of shape {ours} and split {splits.real.split} of {splits.real.dataset.source} has "
            f"{theirs}: compare it with data of the same kind."
        )
    if config.per_class:
        require_same_classes(splits, spec)
    trained = True if own and from_nothing else None
    reference = prepare(splits, config, context, trained=trained, unlike=from_nothing, subject=subject)
    if own and splits.real.split == splits.trained:
        note = COPIES_PASS if from_nothing else SEEN_BEFORE
        reference = replace(reference, notes=(*reference.notes, note.format(split=splits.real.split)))
    return reference


def _options_elsewhere(options: DataConfig) -> DataConfig:
    """Return what data that a run was not trained on are opened with: its pairs are made of them as in training."""
    kept = DataConfig(cache=options.cache, direction=options.direction)
    return kept if options.degrade is None else replace(kept, degrade=options.degrade, fit=options.fit)


def compare_samples(recipe: Recipe, reference: Reference, context: EvaluationContext) -> Comparison:
    """Compare samples of a recipe in evaluation mode with the real ones.

    Raises:
        InputError: A sample is not finite.
    """
    seed, count = reference.protocol.seed, reference.protocol.fake
    from_nothing, rank, world = recipe.task.given == "nothing", context.world.rank, context.world.size
    batches = (
        stream(recipe, count, seed, rank=rank, world=world)
        if from_nothing
        else translate(recipe, reference.splits.real.dataset, reference.rows, seed, rank=rank, world=world)
    )
    fake = extract_stream(
        reference.extractor, map(partial(finished, recipe.spec), batches), count=count, context=context
    )
    known = _with_what_is_known(recipe, reference.compare(fake))
    if known.labelled is None:
        return known
    again = partial(_generated, recipe, count, seed)
    return replace(known, labelled=partial(_with_labels, recipe, again, count, seed))


def of_folder(
    subject: str | Path, config: EvaluationConfig, options: DataConfig, context: EvaluationContext
) -> Comparison:
    """Compare samples of a folder, .zip or array file with real ones, which are opened to be comparable.

    Raises:
        InputError: The data are not there, or nothing says what to compare them with.
        StorageError: The cache cannot be written to.
    """
    if config.per_class:
        raise InputError(
            f"--per-class is for runs, whose samples are made with labels, and {subject} is none: leave it."
        )
    if config.against is None:
        if built_in(subject) is None and not expanded(subject).exists():
            raise InputError(f"There is no run, folder or file {subject}: name one, or a data set such as digits.")
        raise InputError(
            f"{subject} is no run, so it has no data of its own to be compared with: name some with --against DATA."
        )
    kinds.require_present(subject)
    kind = kinds.compared(subject, config.against)
    asked = kind.sized_by(subject, replace(options, size=config.size))
    splits = find_splits(
        (kind.batch,), config.against, asked, split=config.split, progress=context.progress, world=context.world
    )
    given = _like(subject, splits.real.images, asked, context)
    labelled = partial(_like, subject, splits.real.images, asked, context, labels=None)
    known = partial(replace, labelled=labelled if kind.pictures else None)
    reference = prepare(splits, config, context, trained=False, subject=known)
    wanted = reference.protocol.fake
    count = min(len(given), wanted)
    fake, _ = extract_dataset(reference.extractor, given, n=count, seed=config.seed, context=context)
    # Nobody asked for the data to be opened without labels.
    notes = [note for note in given.notes if not note.startswith("No labels were taken")]
    if count < wanted:
        said = f"{count:,} samples, fewer than the {wanted:,} that were wanted beside the real ones."
        notes.insert(0, f"{subject} has {said}")
    if name_of(subject) == name_of(config.against) and splits.real.split == options.split:
        notes.append(f"{subject} is compared with itself: the same {kind.unit} may be on both sides, below the floor.")
    return replace(known(reference.compare(fake)), notes=(*reference.notes, *notes))


def extract_stream(
    extractor: Extractor | None, batches: Iterable[Tensor], *, count: int, context: EvaluationContext
) -> SampleSet:
    """Extract features of samples as they are made; every process gets the features of all, and the first samples.

    Args:
        extractor: maps samples to features; None where samples are their own features.
        batches: (N_i, *shape), as extractors take them: those of this process, batches rank, rank + size, ... of all.
        count: samples of all processes.
        context: which processes share the work.
    """
    world, kept = context.world, []

    def keeping() -> Iterator[Tensor]:
        for index, batch in enumerate(batches):
            if (index * world.size + world.rank) * len(batch) < min(count, KEPT):
                kept.append(batch)
            yield batch

    outputs = extract.extract(extractor or raw, keeping(), count=count, progress=context.progress, world=world)
    turns = zip_longest(*cast(list[list[Tensor]], world.gather(kept)))
    samples = [batch for turn in turns for batch in turn if batch is not None]
    return SampleSet(outputs=outputs, samples=torch.cat(samples)[: min(count, KEPT)])


def _like(
    subject: str | Path,
    real: SampleDataset,
    options: DataConfig,
    context: EvaluationContext,
    *,
    labels: str | None = "none",
) -> SampleDataset:
    """Open what is evaluated as the real samples are."""
    kind = kinds.find(real.spec.kind)
    asked = replace(kind.like(real.spec, options), labels=None if "labels" in kind.unused else labels)
    opening = partial(kinds.open_as, [kind.batch], subject, options=asked, progress=context.progress)
    given = cast(SampleDataset, context.world.first_then_others(opening))
    if given.spec.shape != real.spec.shape:
        raise InputError(
            f"{subject} has {kinds.find(given.spec.kind).unit} of shape {given.spec.shape} and {real.source} has "
            f"{kind.unit} of {real.spec.shape}: compare samples of one kind and shape."
        )
    if len(given) < 2:
        raise InputError(f"{subject} has {len(given)} sample, and an evaluation needs 2 or more.")
    return given


def _with_what_is_known(recipe: Recipe, comparison: Comparison) -> Comparison:
    """Add what is known of the samples of a recipe before one is made: of their labels, with blank images."""
    count, seed = len(comparison.fake), comparison.protocol.seed
    takes_labels = recipe.task.given == "nothing" and recipe.takes_labels and not recipe.spec.attributes
    takes_labels = takes_labels and kinds.find(recipe.spec.kind).pictures  # probes of labels train on images
    blank = torch.zeros((), dtype=torch.uint8).expand(count, *recipe.spec.shape)
    labelled = partial(_with_labels, recipe, lambda: blank, count, seed) if takes_labels else None
    return replace(comparison, recipe=recipe, paired=is_paired(recipe), labelled=labelled)


def _generated(recipe: Recipe, count: int, seed: int) -> Tensor:
    return torch.cat([finished(recipe.spec, samples) for samples in stream(recipe, count, seed)])[:count]


def _with_labels(recipe: Recipe, images: Callable[[], Tensor], count: int, seed: int) -> SampleDataset:
    """Return the samples that are compared, (count, C, H, W) uint8, with the labels that they are generated for."""
    return ImageDataset(
        samples=images().permute(0, 2, 3, 1).numpy(),
        labels=draw_labels(recipe.spec, count, seed).numpy(),
        spec=recipe.spec,
        source="the run",
        fingerprint="",
        notes=(),
    )
