"""Real samples that the extractor never met: those alone may stand on the real side of an evaluation or set its floor.

An extractor that learned some images finds fresh ones, generated or real, a little more unlike them than they are of
each other. A floor of learned images is then one that no generator reaches, or one that a worse generator passes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zerosum.data.dataset import SampleDataset
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.classifier_extractor import LEARNED
from zerosum.features.extractor import Extractor


def unlearned(splits: Splits, extractor: Extractor | None) -> Splits:
    """Return the splits without the images that an extractor learned, which only what is trained here does."""
    learned = learned_by(extractor)
    if not learned:
        return splits
    real, other = (_without(split, learned) for split in (splits.real, splits.other))
    assert real is not None
    return replace(splits, real=real, other=other)


def rows_in_whole(rows: np.ndarray, whole: SampleDataset, extractor: Extractor | None) -> np.ndarray:
    """Return the rows (n,) of the samples that were left of a data set as rows of all of it."""
    return rows_left(len(whole))[rows] if learned_by(extractor) == whole.fingerprint else rows


def learned_by(extractor: Extractor | None) -> str:
    """Return the fingerprint of the data that an extractor learned every second sample of; "" where it learned none."""
    return getattr(extractor, "learned", "")


def rows_left(count: int) -> np.ndarray:
    """Return the rows of `count` samples that a classifier trained on them does not learn: every second one.

    >>> rows_left(5).tolist()
    [1, 3]
    """
    return np.delete(np.arange(count), np.s_[LEARNED])


def _without(split: Split | None, learned: str) -> Split | None:
    if split is None or not isinstance(split.dataset, SampleDataset) or split.dataset.fingerprint != learned:
        return split
    whole, left = split.dataset, slice(1, None, 2)  # a view: nothing of a large array is copied
    kept = replace(whole.at(left), fingerprint=f"{whole.fingerprint}-unlearned")
    return Split(dataset=kept, split=split.split)
