"""Evaluation of a run or a folder of images, and comparison of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zerosum import report
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation import table
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.inputs import Brought, of_folder, of_run
from zerosum.evaluation.measures import chosen, families, parse_names
from zerosum.evaluation.reference import EvaluationContext
from zerosum.evaluation.result import FILE, Evaluation, MetricResult, drop_invalid_interval
from zerosum.evaluation.samples import Comparison
from zerosum.run.checkpoint import played
from zerosum.run.config import read_config
from zerosum.run.directory import Run, Which
from zerosum.run.load import load
from zerosum.runtime import distributed
from zerosum.runtime.device import pick_device
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import Progress, Silent, make_progress, progress_callback
from zerosum.runtime.thread_pool import ProgressCallback as ProgressCallback


def evaluate(
    question: EvaluationConfig,
    subject: str | Path,
    *,
    checkpoint: Which = "newest",
    out: str | Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate as `question` asks; under `torchrun` the processes share the work, and the first one writes."""
    names = None if question.metrics is None else parse_names(question.metrics)
    place = pick_device(device)
    world = distributed.join(place)
    progress = progress or (make_progress() if world.is_first else Silent())
    counted = progress_callback(progress)
    run = expanded(subject)  # a name of data stays as it was typed: ./mnist is another thing than mnist
    is_run = (run / "run.json").exists()
    try:
        setting = EvaluationContext(device=place, cache=_cache(run, is_run), progress=counted, world=world)
        brought = (
            _run(Run.open(run), question, setting, checkpoint, device)
            if is_run
            else (of_folder(subject, question, DataConfig(), setting), None)
        )
        (evidence, notes), round_ = brought
        figures, left = compute_metrics(evidence, names, progress=counted)
    finally:
        progress.close()
    found = Evaluation(
        subject=str(subject),
        round=round_,
        protocol=evidence.protocol,
        figures=figures,
        notes=(*notes, *left),
    )
    target = expanded(out) if out is not None else run / FILE if is_run else None
    if target is not None and world.is_first:
        found.write(target)
        if target == run / FILE:
            report.write(run)
    return found


def compare(*places: str | Path, progress: Progress | None = None, **asked: Any) -> list[Evaluation]:
    """Return the evaluations of several runs, once they may stand side by side.

    Args:
        places: runs that were evaluated, or .json files that an evaluation was written to.
        progress: who is told how it goes.
        asked: how to evaluate those of the runs that were not evaluated yet, as for `evaluate`; without, they are
            refused.

    Raises:
        InputError: one was not evaluated, or under another protocol; the sentence says what to type.
    """
    if not places:
        raise InputError("Nothing to compare was named: zerosum compare RUN RUN")
    found = [_found(Path(place), asked, progress) for place in places]
    table.require_comparable(found)
    return found


def _found(place: Path, asked: Mapping[str, Any], progress: Progress | None) -> Evaluation:
    if asked and (place / "run.json").exists() and not (place / FILE).exists():
        return evaluate(EvaluationConfig.read(asked), place, progress=progress)
    return table.find(place)


def _run(
    directory: Run, question: EvaluationConfig, setting: EvaluationContext, checkpoint: Which, device: str
) -> tuple[Brought, int | None]:
    recipe = load(directory.path, device=device, checkpoint=checkpoint)
    brought = of_run(recipe, read_config(directory), question, setting)
    return brought, played(directory.chosen(checkpoint))


def _cache(run: Path, is_run: bool) -> Path:
    return (read_config(Run.open(run)).options if is_run else DataConfig()).cache_folder()


def compute_metrics(
    evidence: Comparison, names: Sequence[str] | None, *, progress: ProgressCallback | None = None
) -> tuple[tuple[MetricResult, ...], tuple[str, ...]]:
    """Take metrics.

    Args:
        evidence: samples beside real ones.
        names: of the metrics; all that the evidence allows and that do not take minutes where None.
        progress: told "metrics", and how many families of them are done of how many.

    Returns:
        The figures, and a sentence for each metric that nobody asked for by name and that could not be taken.

    Raises:
        InputError: A metric that is asked for by name cannot be had.
    """
    asked = chosen(evidence, names) if names is not None else None
    todo = (
        asked
        if asked is not None
        else [f for f in families() if f.cost == "seconds" and f.unavailable(evidence) is None]
    )
    figures: list[MetricResult] = []
    notes: list[str] = []
    for done, family in enumerate(todo):
        if progress is not None:
            progress("metrics", done, len(todo))
        try:
            figures += family.compute(evidence)
        except InputError as error:
            if names is not None:
                raise
            notes.append(f"{', '.join(family.names)} left out: {error}")
    return tuple(drop_invalid_interval(f) for f in figures if names is None or f.metric in names), tuple(notes)
