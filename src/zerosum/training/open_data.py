"""The data of a run: opened when it starts, and again when it goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum import kinds
from zerosum.config import flag
from zerosum.data.clusters import MOST, clustered, named, suggested
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.data.options import split_labels
from zerosum.data.sources.find import is_there, name_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Progress, progress_callback

MOST_ROWS = 4096
"""Different rows of attributes that are kept with their counts; of more, attributes are drawn independently."""


def open_data(plan: RunConfig, world: World, progress: Progress) -> Dataset:
    """Open the training data, with the number of samples of each class in its spec, or each row of attributes."""
    opening = partial(open_as, plan.recipe_class.data, plan.data, options=plan.options)
    dataset = world.first_then_others(lambda: opening(progress=progress_callback(progress)))
    clusters = _clusters(plan, dataset)
    if not isinstance(dataset, SampleDataset):
        return dataset
    if clusters is not None:
        finding = partial(clustered, dataset, clusters, plan.options.cache_folder())
        dataset = world.first_then_others(lambda: finding(progress=progress_callback(progress)))
    if dataset.labels is None:
        return dataset
    if dataset.spec.attributes:
        return replace(dataset, spec=_with_attribute_counts(dataset.spec, np.asarray(dataset.labels)))
    counts = np.bincount(dataset.labels, minlength=len(dataset.spec.classes))
    return replace(dataset, spec=replace(dataset.spec, class_counts=tuple(counts.tolist())))


def with_expected_clusters(plan: RunConfig, spec: Spec) -> Spec:
    """Add to a spec of data that were not opened yet the classes that `open_data` would make."""
    if spec.label_width or (plan.training.clusters is None and not _is_clustered_by_default(plan, spec)):
        return spec
    return replace(spec, classes=named(plan.training.clusters or MOST))


def _clusters(plan: RunConfig, dataset: Dataset) -> int | None:
    """Return how many clusters stand for classes; None for none.

    Raises:
        InputError: clusters are asked for that these data, or this recipe, have no use for.
    """
    asked, spec = plan.training.clusters, dataset.spec
    if asked is None:
        return suggested(len(dataset)) if _is_clustered_by_default(plan, spec) else None
    if not kinds.find(spec.kind).clusters:
        raise InputError(
            f"--clusters {asked} divides images, and {plan.data} is made of {kinds.find(spec.kind).unit}: leave it out."
        )
    if spec.label_width:
        raise InputError(
            f"{plan.data} has labels already: leave out --clusters {asked}, or add --labels none to have clusters in "
            "their place."
        )
    if not plan.recipe_class.is_conditional():
        raise InputError(
            f"{plan.recipe} takes no labels, for which clusters stand: leave out --clusters {asked}, or choose a "
            "conditional recipe such as cgan."
        )
    return asked


def _is_clustered_by_default(plan: RunConfig, spec: Spec) -> bool:
    needs_labels = getattr(plan.recipe_class, "needs_labels", False)
    return needs_labels and kinds.find(spec.kind).clusters and not spec.label_width and plan.options.labels is None


def _with_attribute_counts(spec: Spec, labels: np.ndarray) -> Spec:
    """Add to a spec how attributes (M, A) of 0 and 1 are distributed: their rows, or where too many differ, shares."""
    rows, counts = np.unique(labels, axis=0, return_counts=True)
    known = [("".join(map(str, row)), count) for row, count in zip(rows.tolist(), counts.tolist(), strict=True)]
    return replace(
        spec,
        attribute_rows=tuple(known) if len(known) <= MOST_ROWS else (),
        attribute_shares=tuple(labels.mean(0).tolist()),
    )


def open_again(
    plan: RunConfig, data: str | Path | None, directory: Run, world: World, progress: Progress
) -> tuple[RunConfig, Dataset]:
    """Open a run's data where they lay, or where they lie now; return the plan with their place.

    Raises:
        InputError: they are not there, or cannot be used.
    """
    plan = plan if data is None else replace(plan, data=name_of(data))
    try:
        return plan, open_data(plan, world, progress)
    except InputError as error:
        missing = _missing(plan, directory, named=data is not None)
        if missing is None:
            raise
        raise InputError(missing) from error


def _missing(plan: RunConfig, directory: Run, *, named: bool) -> str | None:
    """Say what of a run's data is no longer where it lay, and what to type; None where all is there."""
    if not named and not is_there(plan.data):
        return (
            f"The data of the run are no longer at {plan.data}: say where they are now, with "
            f"zerosum train DATA --resume {directory.path}."
        )
    labels, ages = (split_labels(asked or "")[0] for asked in (plan.options.labels, plan.options.ages))
    for name, place in (("target", plan.options.target), ("labels", labels), ("ages", ages)):
        if place and Path(place).is_absolute() and not Path(place).exists():
            return (
                f"The {name} of the run, {place}, is no longer there: say where it is now, with "
                f"zerosum train --resume {directory.path} {flag(name)} PATH."
            )
    return None
