"""Evaluation of a run or a folder of samples, and comparison of several."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zerosum import report
from zerosum.data.options import DataConfig
from zerosum.errors import InputError, StorageError
from zerosum.evaluation import table
from zerosum.evaluation.by_class import NO_CLASSES, ClassFigures, class_figures, require_classes
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.exported import of_generator_file
from zerosum.evaluation.file_forms import made_of
from zerosum.evaluation.inputs import of_folder, of_run
from zerosum.evaluation.measures import chosen, groups, parse_names
from zerosum.evaluation.of_pieces import evaluate_by_pieces, pieces_at
from zerosum.evaluation.result import FILE, Evaluation, MetricResult, drop_invalid_interval, holds_figures
from zerosum.evaluation.samples import Comparison
from zerosum.evaluation.verdict import verdict
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint_files import read_chosen
from zerosum.run.config import RunConfig, read_config
from zerosum.run.directory import Run, Which
from zerosum.run.load import load_recipe
from zerosum.runtime import distributed
from zerosum.runtime.device import pick_device
from zerosum.runtime.display import display
from zerosum.runtime.paths import expanded, require_writable
from zerosum.runtime.progress import Progress, progress_callback
from zerosum.runtime.surroundings import own_settings
from zerosum.runtime.thread_pool import ProgressCallback


@own_settings()
def evaluate(
    config: EvaluationConfig,
    subject: str | Path,
    *,
    recipe: RecipeLike | None = None,
    checkpoint: Which = "newest",
    out: str | Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    show: Callable[[Evaluation], None] | None = None,
) -> Evaluation:
    """Evaluate as `config` asks; under `torchrun` the processes share the work, and the first one writes.

    `show` gets the evaluation before it is written, so that nothing is lost where the disk refuses.

    Raises:
        InputError: What is asked cannot be done; that shows before the work wherever it can.
        StorageError: The disk refuses.
    """
    names = None if config.metrics is None else parse_names(config.metrics)
    place = pick_device(device)
    world = distributed.join(place)
    run = Run.open(subject) if (expanded(subject) / "run.json").exists() else None
    plan = None if run is None else read_config(run, recipe)
    options = DataConfig() if plan is None else plan.options
    progress = display(progress, silent=not world.is_first)
    told = progress_callback(progress)
    context = EvaluationContext(device=place, cache=options.cache_folder(), world=world, progress=told)
    target = None if out is None else require_place(expanded(out))
    model, round_ = (None, None) if run is None or plan is None else _loaded(run, plan, checkpoint, context)
    try:
        if config.against is not None and config.against.endswith(".npz") and (pieces := pieces_at(config.against)):
            found = evaluate_by_pieces(subject, model, pieces, config, context)
        elif model is None or plan is None:  # a name of data stays as it was typed: ./mnist is a folder, mnist a name
            compared = _compare_files(subject, config, options, context)
            found = _computed(subject, compared, names, told)
            found = replace(found, made=made_of(subject, found.protocol.size))
        else:
            found = _computed(subject, _compare_run(model, plan, config, context), names, told)
    finally:
        progress.close()
    found = replace(found, round=round_)
    if world.is_first:
        _deliver(found, show, target, run)
    return found


def _loaded(run: Run, plan: RunConfig, checkpoint: Which, context: EvaluationContext) -> tuple[Recipe, int]:
    """Load a model, of one checkpoint in all processes though the run may write others meanwhile; and its round."""
    found = read_chosen(run, checkpoint)
    while len(set(context.world.gather(found.fingerprint))) > 1:
        found = read_chosen(run, checkpoint)
    return load_recipe(run, plan, device=context.device, checkpoint=found), found.round


def _computed(
    subject: str | Path, compared: tuple[Comparison, ClassFigures], names: Sequence[str] | None, told: ProgressCallback
) -> Evaluation:
    """Compute the figures of a comparison, and its verdict."""
    comparison, (of_classes, notes) = compared
    figures, left = compute_metrics(comparison, names, progress=told)
    return Evaluation(
        subject=str(subject),
        round=None,
        protocol=comparison.protocol,
        figures=(*figures, *of_classes),
        notes=(*comparison.notes, *left, *notes),
        verdict=verdict(figures, comparison.protocol, comparison.unit),
    )


def _compare_files(
    subject: str | Path, config: EvaluationConfig, options: DataConfig, context: EvaluationContext
) -> tuple[Comparison, ClassFigures]:
    """Compare samples of an exported generator, or those that a folder or file holds, with real ones."""
    place = expanded(subject)
    if place.suffix.lower() == ".onnx" and place.is_file():
        return of_generator_file(place, config, context), NO_CLASSES
    return of_folder(subject, config, options, context), NO_CLASSES


def _compare_run(
    model: Recipe, plan: RunConfig, config: EvaluationConfig, context: EvaluationContext
) -> tuple[Comparison, ClassFigures]:
    """Compare samples of a run with real ones, and those of each class where it is asked for."""
    if not config.per_class:
        return of_run(model, plan, config, context), NO_CLASSES
    require_classes(model, config)
    comparison = of_run(model, plan, config, context)
    return comparison, class_figures(model, comparison, config, context)


def _deliver(
    found: Evaluation, show: Callable[[Evaluation], None] | None, target: Path | None, run: Run | None
) -> None:
    """Show an evaluation, then write it, and the report of the run that it is of."""
    if show is not None:
        show(found)
    if target is not None:
        found.write(target)
    if run is not None and target in (None, run.path / FILE):
        _keep(found, run)


def _keep(found: Evaluation, run: Run) -> None:
    """Write figures into their run, or log why that cannot be done: they took long, and are returned in any case."""
    try:
        found.write(run.path / FILE)
        report.write(run.path)
    except StorageError as error:
        logging.getLogger("zerosum").warning(error)


def require_place(path: Path) -> Path:
    """Check that a file of figures may be written at a path: a new .json, or over one that holds figures.

    Raises:
        InputError: it may not.
    """
    if path.suffix.lower() != ".json":
        raise InputError(f"--out is {path}, and figures are written as JSON: give a name that ends in .json.")
    if path.is_dir():
        raise InputError(f"--out is {path}, which is a folder: give the name of a .json file.")
    if path.exists() and not holds_figures(path):
        raise InputError(f"--out is {path}, which is no evaluation and stays as it is: give another name.")
    require_writable(path)
    return path


def compare(
    *places: str | Path,
    recipe: RecipeLike | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> list[Evaluation]:
    """Return the evaluations of several runs, once they may stand side by side.

    Args:
        places: runs that were evaluated, or .json files that an evaluation was written to.
        recipe: of those that are evaluated and were trained by a recipe of your own.
        progress: who is told how it goes.
        asked: how to evaluate those of the runs that were not evaluated yet, as for `evaluate`; without, they are
            refused.

    Raises:
        InputError: one was not evaluated, or under another protocol; the sentence says what to type.
    """
    if not places:
        raise InputError("Nothing to compare was named: zerosum compare RUN RUN")
    found = [_found(expanded(place), asked, recipe, progress) for place in places]
    table.require_comparable(found)
    return found


def _found(place: Path, asked: Mapping[str, Any], recipe: RecipeLike | None, progress: Progress | None) -> Evaluation:
    if asked and (place / "run.json").exists() and not (place / FILE).exists():
        known = recipe if "recipe_origin" in Run.open(place).description else None
        return evaluate(EvaluationConfig.read(asked), place, recipe=known, progress=progress)
    return table.find(place)


def compute_metrics(
    comparison: Comparison, names: Sequence[str] | None, *, progress: ProgressCallback | None = None
) -> tuple[tuple[MetricResult, ...], tuple[str, ...]]:
    """Compute metrics.

    Args:
        comparison: samples and the real ones that they are compared with.
        names: of the metrics; all that the comparison allows and that do not take minutes where None.
        progress: told "metrics", and how many groups of them are done of how many.

    Returns:
        The results, and a sentence for each metric that nobody asked for by name and that could not be computed.

    Raises:
        InputError: A metric that is asked for by name is unavailable.
    """
    asked = chosen(comparison, names) if names is not None else None
    todo = (
        asked
        if asked is not None
        else [f for f in groups() if f.cost == "seconds" and f.unavailable(comparison) is None]
    )
    figures: list[MetricResult] = []
    notes: list[str] = []
    for done, group in enumerate(todo):
        if progress is not None:
            progress("metrics", done, len(todo))
        try:
            figures += group.compute(comparison)
        except InputError as error:
            if names is not None:
                raise
            notes.append(f"{', '.join(group.names)} left out: {error}")
    return tuple(drop_invalid_interval(f) for f in figures if names is None or f.metric in names), tuple(notes)
