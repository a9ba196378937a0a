"""The data of a run: opened when it starts, and again when it goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.config import flag
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.data.options import split_labels
from zerosum.data.sources.find import built_in, name_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run
from zerosum.runtime.distributed import World
from zerosum.runtime.paths import absolute
from zerosum.runtime.progress import Progress, progress_callback

MOST_ROWS = 4096
"""Different rows of attributes that are kept with their counts; of more, attributes are drawn independently."""


def open_data(plan: RunConfig, world: World, progress: Progress) -> Dataset:
    """Open the training data, with the number of samples of each class in its spec, or each row of attributes."""
    opening = partial(open_as, plan.recipe_class.data, plan.data, options=plan.options)
    dataset = world.first_then_others(lambda: opening(progress=progress_callback(progress)))
    if not isinstance(dataset, SampleDataset) or dataset.labels is None:
        return dataset
    if dataset.spec.attributes:
        return replace(dataset, spec=_with_attribute_counts(dataset.spec, np.asarray(dataset.labels)))
    counts = np.bincount(dataset.labels, minlength=len(dataset.spec.classes))
    return replace(dataset, spec=replace(dataset.spec, class_counts=tuple(counts.tolist())))


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
    if not named and not built_in(plan.data) and not absolute(plan.data).exists():
        return (
            f"The data of the run are no longer at {plan.data}: say where they are now, with "
            f"zerosum train DATA --resume {directory.path}."
        )
    labels = split_labels(plan.options.labels or "")[0]
    for name, place in (("target", plan.options.target), ("labels", labels)):
        if place and Path(place).is_absolute() and not Path(place).exists():
            return (
                f"The {name} of the run, {place}, is no longer there: say where it is now, with "
                f"zerosum train --resume {directory.path} {flag(name)} PATH."
            )
    return None
