"""Who is evaluated: a run, whose samples are generated, or a folder of images; brought beside the real samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zerosum import recipes
from zerosum.data.batch import Batch, Domains, Images
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.data.sources.find import built_in, name_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.feature_extraction import extract_dataset, extract_stream, generated, translated
from zerosum.evaluation.reference import EvaluationContext, Prepared, prepare
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.evaluation.splits import Splits, find_parts, in_turn, targets_as_images, with_size_of
from zerosum.kinds import AnyDataset
from zerosum.kinds.images import open as open_data
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.runtime.paths import expanded

COPIES_PASS = (
    "The run was trained on these real samples (split {split}), so copies of them would count as good ones: see "
    "authenticity, or hold it against a split test or val."
)
SEEN_BEFORE = (
    "The run was trained on the very sources that it is judged by (split {split}), so it does worse on new ones: hold "
    "it against a split test or val, or other data by --against."
)

Brought = tuple[Comparison, tuple[str, ...]]
"""Evidence, and what was done on the way."""


def of_run(recipe: Recipe, plan: RunConfig, question: EvaluationConfig, setting: EvaluationContext) -> Brought:
    """Generate samples with a trained recipe, or translate held-out sources, beside the real samples.

    Raises:
        InputError: The data asked for are not there or of another shape.
        StorageError: The cache cannot be written to.
    """
    if question.size is not None:
        raise InputError(f"--size {question.size} is for folders: a run makes its own size; leave it away.")
    prepared, parts = reference_for_run(plan, recipe.spec, question, setting)
    evidence = compare_samples(recipe, prepared, parts.real.dataset, setting)
    return evidence, prepared.notes


def reference_for_run(
    plan: RunConfig, spec: Spec, question: EvaluationConfig, setting: EvaluationContext
) -> tuple[Prepared, Splits]:
    """See the real samples that those of a run are held against.

    Raises:
        InputError: The data asked for are not there or of another shape.
        StorageError: The cache cannot be written to.
    """
    kind = recipes.find(plan.recipe)
    if question.against is not None and built_in(question.against) in toys.NAMES and not spec.is_points:
        raise InputError(f"The run makes images and {question.against} is made of points: hold it against images.")
    own = question.against is None or name_of(question.against) == name_of(plan.data)
    options = plan.options if own else DataConfig(cache=plan.options.cache, direction=plan.options.direction)
    parts = find_parts(
        plan.data if own else str(question.against),
        with_size_of(spec, options),
        kind.data,
        split=question.split,
        progress=setting.progress,
        world=setting.world,
    )
    found = targets_as_images(parts.real.dataset).spec.shape
    if found != spec.shape:
        raise InputError(
            f"The run makes samples of shape {spec.shape} and {parts.real.dataset.source} has {found}: hold it against "
            "data of the same kind."
        )
    from_nothing = hasattr(kind, "sample")
    prepared = prepare(parts, question, setting, trained=True if own and from_nothing else None)
    if own and parts.real.split == parts.trained:
        note = COPIES_PASS if from_nothing else SEEN_BEFORE
        prepared = replace(prepared, notes=(*prepared.notes, note.format(split=parts.real.split)))
    return prepared, parts


def compare_samples(recipe: Recipe, prepared: Prepared, dataset: AnyDataset, setting: EvaluationContext) -> Comparison:
    """Put samples of a recipe in evaluation mode beside the real ones.

    Raises:
        InputError: A sample is not finite.
    """
    seed, count = prepared.reference.protocol.seed, prepared.reference.protocol.real
    from_nothing = hasattr(recipe, "sample")
    batches = (
        generated(recipe, count, seed=seed) if from_nothing else translated(recipe, dataset, prepared.rows, seed=seed)
    )
    fake = extract_stream(prepared.extractor, batches, count=count, progress=setting.progress, world=setting.world)
    paired = not from_nothing and Domains not in type(recipe).data
    return replace(prepared.reference.judge(fake, paired=paired), recipe=recipe)


def of_folder(
    subject: str | Path, question: EvaluationConfig, options: DataConfig, setting: EvaluationContext
) -> Brought:
    """Bring images of a folder, .zip or array file beside the real samples, at their size and with their channels.

    Raises:
        InputError: The data are not there, or nothing says what to hold them against.
        StorageError: The cache cannot be written to.
    """
    if question.against is None:
        if built_in(subject) is None and not expanded(subject).exists():
            raise InputError(f"There is no run, folder or file {subject}: name one, or a data set such as digits.")
        raise InputError(
            f"{subject} is no run, so it has no data of its own to be held against: name some with --against DATA."
        )
    kinds: tuple[type[Batch], ...] = (Images,)
    asked = replace(options, size=question.size)
    parts = find_parts(
        question.against, asked, kinds, split=question.split, progress=setting.progress, world=setting.world
    )
    given = _like(subject, targets_as_images(parts.real.dataset), asked, setting)
    prepared = prepare(parts, question, setting, trained=False)
    reference = prepared.reference
    count = min(len(given), reference.protocol.real)
    fake, _ = extract_dataset(
        prepared.extractor,
        given,
        n=count,
        seed=question.seed,
        cache=setting.cache,
        progress=setting.progress,
        world=setting.world,
    )
    done = [
        note for note in given.notes if not note.startswith("No labels were taken")
    ]  # it was not the user who asked
    evidence = replace(
        reference.judge(fake),
        labelled=lambda: _like(subject, targets_as_images(parts.real.dataset), asked, setting, labels=None),
    )
    if name_of(subject) == name_of(question.against) and parts.real.split == options.split:
        done.append(f"{subject} is held against itself: the same images may be on both sides, below the floor.")
    return evidence, (*prepared.notes, *_fewer(count, reference.real, subject), *done)


def _like(
    subject: str | Path, real: Dataset, options: DataConfig, setting: EvaluationContext, *, labels: str | None = "none"
) -> Dataset:
    """Open what is evaluated as the real samples are."""
    asked = replace(with_size_of(real.spec, options), labels=None if real.spec.is_points else labels)
    given = in_turn(setting.world, lambda: open_data(subject, options=asked, progress=setting.progress))
    if given.spec.shape != real.spec.shape:
        raise InputError(
            f"{subject} has samples of shape {given.spec.shape} and {real.source} of {real.spec.shape}: images are not "
            "held against points."
        )
    if len(given) < 2:
        raise InputError(f"{subject} has {len(given)} image, and an evaluation needs 2 or more.")
    return given


def _fewer(count: int, real: SampleSet, subject: str | Path) -> tuple[str, ...]:
    if count == len(real):
        return ()
    return (f"{subject} has {count:,} samples, fewer than the {len(real):,} real ones.",)
